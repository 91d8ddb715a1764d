// The memory that each worker of a product has to itself, and the sizes that a plan must keep to.
#pragma once
#include <cstddef>

#include "base/arena.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// The rows of a left operand that a worker's scratch holds as fp32, with all their k: tasks on the same rows follow
// each other. No product has the number 0, which stands for none.
struct alignas(kCacheLine) ConvertedRows {
  std::size_t product = 0, first_row = 0;
  bool operator==(const ConvertedRows&) const = default;
};

struct Scratch {
  static constexpr std::size_t kTaskRows = 3 * kSumRows;  // most rows of a task whose sums come in several blocks of k
  static constexpr std::size_t kTaskBlocks = 8;           // likewise, blocks of columns
  static constexpr std::size_t kMostConverted = 1024;     // k of what is converted at a time
  static constexpr std::size_t kSumFloats = kTaskBlocks * kTaskRows * kBlockColumns;
  static constexpr std::size_t kLhsFloats = 2 * kTaskRows * (kMostConverted + kLanes);
  static constexpr std::size_t kRhsFloats = kBlockColumns * (kMostConverted + 1);
  static constexpr std::size_t kFloats = kSumFloats + kLhsFloats + kRhsFloats;

  explicit Scratch(float* floats, ConvertedRows& rows)
      : sums(floats), lhs(sums + kSumFloats), rhs(lhs + kLhsFloats), converted(rows) {}

  float* sums;  // of tiles, before an epilogue takes them
  float* lhs;   // a left operand as fp32
  float* rhs;   // a right operand as fp32
  ConvertedRows& converted;
};

}  // namespace halfstep::internal
