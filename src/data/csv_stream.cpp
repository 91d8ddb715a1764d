#include "data/csv_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kMostWindow = std::size_t{1} << 28;  // no record is longer

[[noreturn]] void fail_input(const std::string& path, int error) {
  data::fail(Status::io, "cannot read the data", path, std::generic_category().message(error));
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_ < 0) fail_input(path, errno);
}

InputFile::~InputFile() { ::close(file_); }

std::size_t InputFile::read(std::uint64_t place, char* bytes, std::size_t count) const {
  std::size_t used = 0;
  while (used < count) {
    const ssize_t got = ::pread(file_, bytes + used, count - used, static_cast<off_t>(place + used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_input(path_, errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return used;
}

CsvStream::CsvStream(const InputFile& file, std::uint64_t text_begin, const RecordScanner& start,
                     const Dialect& dialect, const RecordShape& shape, const ReadHow& how, ColumnStore& store)
    : file_(file),
      first_byte_(text_begin + start.position()),
      start_(start),
      dialect_(dialect),
      shape_(shape),
      how_(how),
      store_(store) {}

void CsvStream::fill() {
  const std::size_t wanted = window_.size() - used_;
  const std::size_t got = file_.read(next_byte_, window_.data() + used_, wanted);
  used_ += got;
  next_byte_ += got;
  at_end_ = got < wanted;
}

// Behind the last one of the window that is whole: the second half of CRLF may follow.
std::size_t CsvStream::last_line_end() const {
  std::string_view text(window_.data(), used_);
  if (at_end_) return used_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t found = text.find_last_of("\r\n");
  return found == std::string_view::npos ? 0 : found + 1;
}

void CsvStream::forget_until(std::size_t at) {
  used_ -= at;
  std::memmove(window_.data(), window_.data() + at, used_);
}

void CsvStream::read(TableCells& cells) {
  window_.resize(how_.cache.window_bytes);
  used_ = 0;
  next_byte_ = first_byte_;
  TextPlace place = {0, start_.lines_before(), start_.comments()};
  for (std::size_t column = 0; column < cells.columns.size(); ++column) {
    if (cells.selected[column]) store_.restart(column);
  }
  const auto drain = [&] {
    for (std::size_t column = 0; column < cells.columns.size(); ++column) {
      if (cells.selected[column]) cells.columns[column].drain(store_, column);
    }
  };
  const CsvPieces pieces(shape_, how_);
  CsvPieces::End end = CsvPieces::End::open;
  do {
    fill();
    const RecordScanner scanner({window_.data(), used_}, dialect_, file_.path());
    const std::size_t lines_end = last_line_end();
    end = pieces.read(scanner, lines_end, !at_end_, place, cells, drain);
    const bool stuck = place.at == 0 && !at_end_;
    if (end == CsvPieces::End::wrong || (stuck && window_.size() >= kMostWindow)) fail(place, cells);
    forget_until(place.at);
    place.at = 0;
    if (stuck) window_.resize(2 * window_.size());
  } while (end != CsvPieces::End::all || !at_end_);
  comments_ = place.comments;
  cells.store = &store_;
  window_ = {};
}

void CsvStream::fail(const TextPlace& place, const TableCells& cells) const {
  RecordScanner scanner =
      RecordScanner({window_.data(), used_}, dialect_, file_.path()).part(place.at, used_, place.lines);
  TableCells again;
  for (const ColumnBuilder& column : cells.columns) again.columns.push_back(column.fresh());
  again.selected.assign(again.columns.size(), false);
  if (const auto found = read_records(scanner, shape_, again)) {
    fail_ragged(shape_, file_.path(), scanner.line(), *found, 0);
  }
  data::fail(Status::limit, "cannot read the table", file_.path() + ", line " + std::to_string(place.lines + 1),
             "a record of more than " + std::to_string(kMostWindow) + " bytes");
}

}  // namespace halfstep::internal::data
