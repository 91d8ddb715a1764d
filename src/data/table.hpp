// What the readers hand on: named columns of a table, or the rows of a matrix of pixels.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "data/sparse.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal::data {

constexpr std::uint32_t kMissingCode = 0xffffffffu;

class ColumnStore;

struct TokenCount {
  std::string token;
  std::size_t count = 0;
};

// A numeric column keeps numbers, NaN where a value is missing. A text column keeps codes: places in `values`. A
// numeric column that may be taken as categories keeps both.
struct Column {
  std::string name;
  bool is_text = false;
  std::vector<double> numbers;
  std::vector<std::uint32_t> codes;
  std::vector<std::string> values;         // distinct, as they stand in the file, in order of appearance, UTF-8
  std::vector<TokenCount> missing_tokens;  // what was taken as missing, "" for empty cells, most frequent first
  std::string unit;                        // left out of the numbers: "$", "%", "kg"
  std::vector<std::string> remarks;        // how the column was read, where a user could regret it
  // Set when this should be a numeric column but some cell is no finite number. The column is then kept as text,
  // so that it can still be dropped or taken as categories; whoever needs its numbers throws this.
  std::optional<ErrorParts> problem = {};
  bool stored = false;  // its numbers and codes are in the table's store

  bool missing(std::size_t row) const { return is_text ? codes[row] == kMissingCode : numbers[row] != numbers[row]; }
};

struct Table {
  std::size_t rows = 0;
  std::vector<Column> columns;
  bool has_header = false;           // false: names are c0, c1, ...
  std::vector<std::uint32_t> lines;  // line in the file of each row, from 1; empty when there is no file
  char separator = ',';
  bool decimal_comma = false;
  std::size_t labels = 0;                        // so many columns at the end are the target: labels that stood apart
  std::vector<std::string> remarks = {};         // how the file was read, where a user could regret it
  std::vector<std::string> unused_missing = {};  // tokens of the user's that do not occur
  // Of a LIBSVM file, whose only column is then the label: its features, by their index less the first one.
  SparseRows<double> sparse = {};
  std::size_t sparse_width = 0;  // of the whole file, whatever rows were taken of it
  bool zero_based = false;       // the first index is 0, not 1
  int threads = 1;               // that read it
  // Of a table that is too large for memory: its columns but the target and those about rows, and which rows of theirs
  // these are; empty: all.
  std::shared_ptr<const ColumnStore> store = {};
  std::vector<std::uint32_t> stored_rows = {};
};

// Row-major. Exactly one of `bytes` and `floats` is used.
struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  LargeVector<std::uint8_t> bytes;
  LargeVector<float> floats;
  std::vector<std::int32_t> labels;  // empty: none known
  std::string labels_source;         // where labels came from, or where they were looked for
};

}  // namespace halfstep::internal::data
