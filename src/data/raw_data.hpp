// What a reader gives: a table or a matrix, and where it came from.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/table.hpp"

namespace halfstep::internal::data {

// What reading a file took, from its first byte to its last number.
struct ReadSpeed {
  std::uint64_t bytes = 0;  // unpacked; 0: no file was read
  double seconds = 0;
  int threads = 1;
};

struct RawData {
  std::string source;  // path, "standard input" or "builtin:NAME"
  std::variant<Table, Matrix> content;
  std::vector<std::string> remarks = {};  // what format it was taken as, where a user could regret it

  ReadSpeed speed = {};

  const Table* table() const { return std::get_if<Table>(&content); }
  const Matrix* matrix() const { return std::get_if<Matrix>(&content); }
  std::size_t rows() const { return table() ? table()->rows : matrix()->rows; }
};

// Of a file that has a part to train on and one to test with: which to read. The one to test with alone is read as
// DataPair::train.
enum class Parts { both, train, test };

struct DataPair {
  RawData train;
  std::optional<RawData> test;
};

}  // namespace halfstep::internal::data
