// The records of separated text, as rows of a table: on as many threads as there are, in pieces that are cut at line
// ends, with the result of one pass from the first to the last.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "data/csv_scan.hpp"
#include "data/read_how.hpp"
#include "data/table_reader.hpp"

namespace halfstep::internal::data {

// What a record must be like.
struct RecordShape {
  std::size_t columns = 1;
  std::size_t least = 1;  // fields; others are then empty, and there may be more where those are empty
  bool has_header = false;
  char separator = ',';
};

class CsvRecords final : public CellRows {
 public:
  // `start` stands before the first record that is a row. All of these must outlive it.
  CsvRecords(const RecordScanner& start, const RecordShape& shape, const std::string& name, const ReadHow& how)
      : start_(start), shape_(shape), name_(name), how_(how), scanner_(start) {}

  void read(TableCells& cells) override;
  std::size_t comments() const { return comments_; }  // left out, once all is read

 private:
  struct Piece;

  void read_in_one_pass(TableCells& cells);
  bool read_in_pieces(TableCells& cells);  // false: there is something wrong
  std::vector<Piece> cut(std::size_t begin, std::size_t count, const TableCells& cells) const;
  std::size_t line_end_behind(std::size_t at) const;
  void read_piece(Piece& piece) const;
  void merge(std::vector<Piece>& pieces, TableCells& cells) const;
  std::optional<std::size_t> read_records(RecordScanner& scanner, TableCells& cells) const;
  [[noreturn]] void fail_ragged(std::size_t found);

  const RecordScanner& start_;
  const RecordShape& shape_;
  const std::string& name_;
  const ReadHow& how_;
  RecordScanner scanner_;  // stands behind what has been read
  std::size_t comments_ = 0;
};

}  // namespace halfstep::internal::data
