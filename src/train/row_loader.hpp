// Puts rows of inputs into a network: gathers them, and rounds once to the storage type, in both layouts.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/arena.hpp"
#include "data/examples.hpp"
#include "gemm/gemm.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

// Rows of inputs as they lie in memory, one behind the other.
struct InputRows {
  std::size_t features = 0;
  const float* x = nullptr;
  const std::uint8_t* bytes = nullptr;  // in place of x: x = byte * byte_scale + byte_shift
  float byte_scale = 1, byte_shift = 0;
  const data::SparseRows<float>* sparse = nullptr;  // in place of x: where a row is not as `x`, which is one row
  const data::RowFile* file = nullptr;              // in place of x
};

InputRows input_rows(const data::Examples& examples);

// Which rows, in which order.
struct RowOrder {
  std::size_t count = 0;
  const std::uint32_t* rows = nullptr;  // null: as they lie in memory, from `first` on
  std::size_t first = 0;

  std::size_t operator[](std::size_t i) const { return rows != nullptr ? rows[i] : first + i; }
};

class RowLoader {
 public:
  // Allocates for the threads that load.
  RowLoader(std::size_t features, int threads);

  // Writes the rows to `input`, and a zero row behind an odd count. Allocates nothing.
  void load(GemmContext& context, const InputRows& from, const RowOrder& order, Activations& input);

 private:
  std::size_t width_;                          // padded features
  std::vector<AlignedBuffer<float>> scratch_;  // two rows for each thread
};

}  // namespace halfstep::internal
