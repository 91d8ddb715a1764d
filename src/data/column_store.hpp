// The columns of a table on a disk: written once, some rows at a time, read as often as wanted, by column or by rows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/cache_file.hpp"
#include "data/column_kind.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

class ColumnStore {
 public:
  // `block_rows`: as many rows as are to be brought back at a time.
  ColumnStore(std::string folder, std::size_t columns, std::size_t block_rows)
      : file_(std::move(folder)), columns_(columns), block_rows_(block_rows) {}

  // The next rows of a column as its builder has them: either may be empty, codes also where numbers are not, or both
  // are of the same rows.
  void append(std::size_t column, const std::vector<double>& numbers, const std::vector<std::uint32_t>& codes);
  void restart(std::size_t column) { columns_[column] = {}; }
  // What the codes turned out to mean; `with_codes`: a column of numbers has them too.
  void keep_meaning(std::size_t column, const ColumnKind& kind, bool with_codes);

  bool has(std::size_t column) const { return !columns_[column].extents.empty(); }
  // Fills numbers or codes of `to`, which has all else, with the given rows, ascending.
  void load(std::size_t column, std::span<const std::uint32_t> rows, Column& to) const;
  void load(std::size_t column, Column& to) const;  // all of them

  const std::string& folder() const { return file_.folder(); }
  std::size_t block_rows() const { return block_rows_; }
  std::uint64_t bytes() const { return file_.size(); }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  // Rows that were written together.
  struct Extent {
    std::size_t first = 0, rows = 0;
    std::uint64_t numbers = kNone, codes = kNone;  // places in the file
  };
  struct Stored {
    std::vector<Extent> extents;
    std::vector<double> values;  // of each code
    std::vector<bool> missing;
    bool numeric = true, with_codes = false;
  };

  template <class RowAt>
  void load_rows(std::size_t column, std::size_t end, RowAt row_at, Column& to) const;

  CacheFile file_;
  std::vector<Stored> columns_;
  std::size_t block_rows_;
};

}  // namespace halfstep::internal::data
