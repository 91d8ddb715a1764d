#include "data/csv_pieces.hpp"

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include "data/sniff_dialect.hpp"
#include "data/text.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal::data {
namespace {

std::size_t line_end_behind(std::string_view text, std::size_t at, std::size_t end) {
  const std::size_t found = text.find_first_of("\r\n", std::min(at, end));
  if (found == std::string_view::npos || found >= end) return end;
  return found + (text.substr(found, 2) == "\r\n" ? 2 : 1);
}

}  // namespace

std::optional<std::size_t> read_records(RecordScanner& scanner, const RecordShape& shape, TableCells& cells) {
  const std::size_t columns = shape.columns;
  const std::vector<char> selected(cells.selected.begin(), cells.selected.end());
  PlainNumber number;
  while (scanner.begin_record()) {
    const std::uint32_t line = scanner.line();
    std::size_t found = 0;
    bool fits = true;
    do {
      if (found < columns && selected[found] && scanner.plain_number(number) && cells.columns[found].takes(number)) {
        cells.columns[found].add(number);
        scanner.take(number);
      } else {
        const std::string_view field = scanner.field();
        if (found >= columns) {
          fits = fits && field.empty();
        } else if (selected[found]) {
          cells.columns[found].add(field, line);
        }
      }
      ++found;
    } while (!scanner.end_of_record());
    if (!fits || found < shape.least) return found;
    for (; found < columns; ++found) {
      if (selected[found]) cells.columns[found].add({}, line);
    }
    cells.lines.push_back(line);
  }
  return {};
}

void fail_ragged(const RecordShape& shape, const std::string& name, std::uint32_t line, std::size_t found,
                 std::size_t others) {
  const std::string sign = separator_name(shape.separator);
  std::string hint = "put quotes around a text in which the separator (" + sign + ") stands";
  if (found < shape.columns && shape.separator == kBlanks) {
    hint = "write NA for what is missing, for blanks cannot show it";
  } else if (found < shape.columns) {
    hint = "end the line with " + std::to_string(shape.columns - found) + " more of the separator (" + sign +
           ") for the empty fields";
  }
  fail(Status::format, "rows differ in length", name + ", line " + std::to_string(line),
       "expected " + std::to_string(shape.columns) + " fields" +
           (shape.has_header ? " as in the header" : " as in most rows") + ", found " + std::to_string(found) +
           (others > 0 ? "; " + std::to_string(others) + " more rows differ" : ""),
       hint + (found < shape.columns ? ", or delete the line if it is no row" : "") +
           "; if another sign separates, --separator");
}

struct CsvPieces::Piece {
  std::size_t end;  // where the next one begins, if that is between two records
  RecordScanner scanner;
  TableCells cells = {};
  bool failed = false;
  std::uint32_t lines_before = 0;
};

int CsvPieces::threads() const { return how_.executor != nullptr ? how_.executor->threads() : 1; }

void CsvPieces::run(std::size_t tasks, FunctionRef<void(std::size_t, int)> body) const {
  if (how_.executor != nullptr) return how_.executor->run(tasks, body);
  for (std::size_t task = 0; task < tasks; ++task) body(task, 0);
}

// Each piece is read on the guess that it begins with a record. The first one does. The next one did where the one
// before it has ended just there; where it has not, the cut was within quotes, and reading goes on from where it ended.
CsvPieces::End CsvPieces::read(const RecordScanner& scanner, std::size_t end, bool is_part, TextPlace& place,
                               TableCells& cells, FunctionRef<void()> merged) const {
  const std::size_t most = 4 * static_cast<std::size_t>(threads());
  std::size_t count = most;
  cells.threads = threads();
  while (place.at < end) {
    std::vector<Piece> pieces = cut(scanner, place.at, end, count, cells);
    run(pieces.size(), [&](std::size_t task, int) { read_piece(pieces[task]); });
    std::size_t good = 0;
    bool meets = true;
    End found = End::all;
    while (meets && good < pieces.size()) {
      Piece& piece = pieces[good];
      const std::size_t stopped = piece.scanner.position();
      // Of a part the last record may go on behind it.
      if (is_part && stopped >= end && (piece.failed || stopped > end)) found = End::open;
      if (piece.failed && found == End::all) found = End::wrong;
      if (found != End::all) break;
      piece.lines_before = place.lines;
      place = {stopped, place.lines + piece.scanner.lines_before(), place.comments + piece.scanner.comments()};
      meets = stopped == piece.end;
      ++good;
    }
    count = good < pieces.size() ? 1 : std::min(2 * count, most);
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(good), pieces.end());
    merge(pieces, cells);
    merged();
    if (found != End::all) return found;
  }
  return End::all;
}

std::vector<CsvPieces::Piece> CsvPieces::cut(const RecordScanner& scanner, std::size_t begin, std::size_t end,
                                             std::size_t count, const TableCells& cells) const {
  std::vector<Piece> pieces;
  while (pieces.size() < count && begin < end) {
    const std::size_t next = line_end_behind(scanner.text(), begin + how_.piece_bytes, end);
    Piece& piece = pieces.emplace_back(Piece{next, scanner.part(begin, next)});
    for (const ColumnBuilder& column : cells.columns) piece.cells.columns.push_back(column.fresh());
    piece.cells.selected = cells.selected;
    begin = next;
  }
  return pieces;
}

// A guess may be wrong, and whatever it then finds be nonsense: it throws nothing.
void CsvPieces::read_piece(Piece& piece) const {
  try {
    piece.failed = read_records(piece.scanner, shape_, piece.cells).has_value();
  } catch (const std::exception&) {
    piece.failed = true;
  }
}

void CsvPieces::merge(std::vector<Piece>& pieces, TableCells& cells) const {
  const auto add_column = [&](std::size_t column) {
    for (Piece& piece : pieces) cells.columns[column].append(piece.cells.columns[column], piece.lines_before);
  };
  const auto add_lines = [&] {
    for (const Piece& piece : pieces) {
      for (const std::uint32_t line : piece.cells.lines) cells.lines.push_back(line + piece.lines_before);
    }
  };
  const std::size_t columns = cells.columns.size();
  run(columns + 1, [&](std::size_t task, int) {
    if (task == columns) {
      add_lines();
    } else if (cells.selected[task]) {
      add_column(task);
    }
  });
}

}  // namespace halfstep::internal::data
