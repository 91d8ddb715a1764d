// The records of separated text that lies in memory, as rows of a table.
#pragma once
#include <cstddef>
#include <string>

#include "data/csv_pieces.hpp"

namespace halfstep::internal::data {

class CsvRecords final : public CellRows {
 public:
  // `start` stands before the first record that is a row. All of these must outlive it.
  CsvRecords(const RecordScanner& start, const RecordShape& shape, const std::string& name, const ReadHow& how)
      : start_(start), shape_(shape), name_(name), how_(how) {}

  void read(TableCells& cells) override;
  std::size_t comments() const { return comments_; }  // left out, once all is read

 private:
  void read_in_one_pass(TableCells& cells);
  bool read_in_pieces(TableCells& cells);  // false: there is something wrong

  const RecordScanner& start_;
  const RecordShape& shape_;
  const std::string& name_;
  const ReadHow& how_;
  std::size_t comments_ = 0;
};

}  // namespace halfstep::internal::data
