#include "data/csv_records.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "data/sniff_dialect.hpp"
#include "data/text.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal::data {
namespace {

// As many rows as there will be, if the others are like those so far.
void reserve_rows(TableCells& cells, std::size_t bytes, std::size_t all_bytes) {
  if (bytes == 0) return;
  const double rows =
      static_cast<double>(cells.lines.size()) * static_cast<double>(all_bytes) / static_cast<double>(bytes);
  const auto likely = static_cast<std::size_t>(rows * 1.02) + 1;
  try {
    cells.lines.reserve(likely);
    for (std::size_t i = 0; i < cells.columns.size(); ++i) {
      if (cells.selected[i]) cells.columns[i].reserve(likely);
    }
  } catch (const std::bad_alloc&) {
    // It was a guess: what is really needed may still be there.
  }
}

}  // namespace

struct CsvRecords::Piece {
  std::size_t end;  // where the next one begins, if that is between two records
  RecordScanner scanner;
  TableCells cells;
  bool failed = false;
  std::uint32_t lines_before = 0;
};

// Gives the fields of all its records to `cells`; stops behind one that is too short or too long, and gives the number
// of its fields.
std::optional<std::size_t> CsvRecords::read_records(RecordScanner& scanner, TableCells& cells) const {
  const std::size_t columns = shape_.columns;
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
    if (!fits || found < shape_.least) return found;
    for (; found < columns; ++found) {
      if (selected[found]) cells.columns[found].add({}, line);
    }
    cells.lines.push_back(line);
  }
  return {};
}

void CsvRecords::read(TableCells& cells) {
  const std::size_t bytes = start_.text().size() - start_.position();
  if (how_.executor != nullptr && how_.executor->threads() > 1 && bytes > 2 * how_.piece_bytes) {
    TableCells in_pieces = cells;
    if (read_in_pieces(in_pieces)) {
      cells = std::move(in_pieces);
      return;
    }
  }
  // Where a piece fails, one pass says what is wrong, and where.
  read_in_one_pass(cells);
}

void CsvRecords::read_in_one_pass(TableCells& cells) {
  const std::size_t begin = start_.position(), end = start_.text().size();
  scanner_ = start_;
  for (const std::size_t stop : {std::min(begin + how_.piece_bytes, end), end}) {
    scanner_.stop_at(stop);
    if (const auto found = read_records(scanner_, cells)) fail_ragged(*found);
    if (stop < end) reserve_rows(cells, scanner_.position() - begin, end - begin);
  }
  comments_ = scanner_.comments();
}

// Each piece is read on the guess that it begins with a record. The first one does. The next one did where the one
// before it has ended just there; where it has not, the cut was within quotes, and reading goes on from where it ended.
bool CsvRecords::read_in_pieces(TableCells& cells) {
  const std::size_t begin = start_.position(), end = start_.text().size();
  const std::size_t most = 4 * static_cast<std::size_t>(how_.executor->threads());
  std::size_t at = begin, count = most;
  std::uint32_t lines = start_.lines_before();
  comments_ = start_.comments();
  while (at < end) {
    std::vector<Piece> pieces = cut(at, count, cells);
    how_.executor->run(pieces.size(), [&](std::size_t task, int) { read_piece(pieces[task]); });
    std::size_t good = 0;
    for (bool meets = true; meets && good < pieces.size(); ++good) {
      Piece& piece = pieces[good];
      if (piece.failed) return false;
      piece.lines_before = lines;
      lines += piece.scanner.lines_before();
      comments_ += piece.scanner.comments();
      at = piece.scanner.position();
      meets = at == piece.end;
    }
    count = good < pieces.size() ? 1 : std::min(2 * count, most);
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(good), pieces.end());
    const bool first = cells.lines.empty();
    merge(pieces, cells);
    if (first) reserve_rows(cells, at - begin, end - begin);
  }
  cells.threads = how_.executor->threads();
  return true;
}

std::vector<CsvRecords::Piece> CsvRecords::cut(std::size_t begin, std::size_t count, const TableCells& cells) const {
  std::vector<Piece> pieces;
  while (pieces.size() < count && begin < start_.text().size()) {
    const std::size_t end = line_end_behind(begin + how_.piece_bytes);
    Piece& piece = pieces.emplace_back(Piece{end, start_.part(begin, end)});
    for (const ColumnBuilder& column : cells.columns) piece.cells.columns.push_back(column.fresh());
    piece.cells.selected = cells.selected;
    begin = end;
  }
  return pieces;
}

std::size_t CsvRecords::line_end_behind(std::size_t at) const {
  const std::string_view text = start_.text();
  const std::size_t found = text.find_first_of("\r\n", std::min(at, text.size()));
  if (found == std::string_view::npos) return text.size();
  return found + (text.substr(found, 2) == "\r\n" ? 2 : 1);
}

// A guess may be wrong, and whatever it then finds be nonsense: it throws nothing.
void CsvRecords::read_piece(Piece& piece) const {
  try {
    piece.failed = read_records(piece.scanner, piece.cells).has_value();
  } catch (const std::exception&) {
    piece.failed = true;
  }
}

void CsvRecords::merge(std::vector<Piece>& pieces, TableCells& cells) const {
  const auto add_column = [&](std::size_t column) {
    for (Piece& piece : pieces) cells.columns[column].append(piece.cells.columns[column], piece.lines_before);
  };
  const auto add_lines = [&] {
    for (const Piece& piece : pieces) {
      for (const std::uint32_t line : piece.cells.lines) cells.lines.push_back(line + piece.lines_before);
    }
  };
  const std::size_t columns = cells.columns.size();
  how_.executor->run(columns + 1, [&](std::size_t task, int) {
    if (task == columns) {
      add_lines();
    } else if (cells.selected[task]) {
      add_column(task);
    }
  });
}

void CsvRecords::fail_ragged(std::size_t found) {
  const std::uint32_t line = scanner_.line();
  scanner_.stop_at(start_.text().size());
  std::vector<std::string_view> fields;
  std::size_t others = 0;
  while (scanner_.next(fields)) others += fields.size() != shape_.columns ? 1 : 0;
  const std::string sign = separator_name(shape_.separator);
  std::string hint = "put quotes around a text in which the separator (" + sign + ") stands";
  if (found < shape_.columns && shape_.separator == kBlanks) {
    hint = "write NA for what is missing, for blanks cannot show it";
  } else if (found < shape_.columns) {
    hint = "end the line with " + std::to_string(shape_.columns - found) + " more of the separator (" + sign +
           ") for the empty fields";
  }
  fail(Status::format, "rows differ in length", name_ + ", line " + std::to_string(line),
       "expected " + std::to_string(shape_.columns) + " fields" +
           (shape_.has_header ? " as in the header" : " as in most rows") + ", found " + std::to_string(found) +
           (others > 0 ? "; " + std::to_string(others) + " more rows differ" : ""),
       hint + "; if another sign separates, --separator");
}

}  // namespace halfstep::internal::data
