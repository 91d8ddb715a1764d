// The records of a file of separated text that is too large for memory: read through a window, and put on a disk column
// by column.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "data/column_store.hpp"
#include "data/csv_pieces.hpp"
#include "data/source.hpp"

namespace halfstep::internal::data {

// A file, from its first byte to its last as often as wanted. Throws Error(io).
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // As many bytes from `place` on as there are, up to `count`.
  std::size_t read(std::uint64_t place, char* bytes, std::size_t count) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int file_;
};

class CsvStream final : public CellRows {
 public:
  // `start` stands in the first bytes of the file's text, which begins at `text_begin`, before the first record that is
  // a row. All of these must outlive it; `store` gets the columns.
  CsvStream(const InputFile& file, std::uint64_t text_begin, const RecordScanner& start, const Dialect& dialect,
            const RecordShape& shape, const ReadHow& how, ColumnStore& store);

  void read(TableCells& cells) override;
  std::size_t comments() const { return comments_; }

 private:
  void fill();
  std::size_t last_line_end() const;
  void forget_until(std::size_t at);
  [[noreturn]] void fail(const TextPlace& place, const TableCells& cells) const;

  const InputFile& file_;
  const std::uint64_t first_byte_;  // of the first record
  const RecordScanner& start_;
  const Dialect& dialect_;
  const RecordShape& shape_;
  const ReadHow& how_;
  ColumnStore& store_;
  std::size_t comments_ = 0;
  // The window.
  Bytes window_;
  std::size_t used_ = 0;
  std::uint64_t next_byte_ = 0;  // of the file, behind the window
  bool at_end_ = false;          // nothing is there
};

}  // namespace halfstep::internal::data
