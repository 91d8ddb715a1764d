#include "data/csv_records.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

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
  RecordScanner scanner = start_;
  for (const std::size_t stop : {std::min(begin + how_.piece_bytes, end), end}) {
    scanner.stop_at(stop);
    if (const auto found = read_records(scanner, shape_, cells)) {
      const std::uint32_t line = scanner.line();
      scanner.stop_at(end);
      std::vector<std::string_view> fields;
      std::size_t others = 0;
      while (scanner.next(fields)) others += fields.size() != shape_.columns ? 1 : 0;
      fail_ragged(shape_, name_, line, *found, others);
    }
    if (stop < end) reserve_rows(cells, scanner.position() - begin, end - begin);
  }
  comments_ = scanner.comments();
}

bool CsvRecords::read_in_pieces(TableCells& cells) {
  const std::size_t begin = start_.position(), end = start_.text().size();
  TextPlace place = {begin, start_.lines_before(), start_.comments()};
  bool first = true;
  const auto merged = [&] {
    if (std::exchange(first, false)) reserve_rows(cells, place.at - begin, end - begin);
  };
  const CsvPieces pieces(shape_, how_);
  if (pieces.read(start_, end, false, place, cells, merged) != CsvPieces::End::all) return false;
  comments_ = place.comments;
  return true;
}

}  // namespace halfstep::internal::data
