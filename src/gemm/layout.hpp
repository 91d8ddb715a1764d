// Where elements lie: padding, panels and strips (the shapes are explained in kernels/table.hpp).
#pragma once
#include <algorithm>
#include <cstddef>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }
constexpr std::size_t pad_columns(std::size_t n) { return round_up(n, kLanes); }
constexpr std::size_t pad_rows(std::size_t n) { return round_up(n, 2); }
// Distance of rows in memory, in elements. A large power of two would put them all into the same few sets of L1. Rows
// of several blocks of columns, which different threads write, begin with a cache line, as then the blocks do.
constexpr std::size_t leading_dimension(std::size_t columns, std::size_t element) {
  const std::size_t bytes = pad_columns(columns) * element;
  const std::size_t lines = columns > kBlockColumns ? round_up(bytes, kCacheLine) : bytes;
  return (lines + (lines % 1024 == 0 ? kCacheLine : 0)) / element;
}

inline const std::byte* at(const void* base, std::size_t bytes) { return static_cast<const std::byte*>(base) + bytes; }

// Element (o, i) of a weight matrix [out][in] in strips.
struct WeightLayout {
  std::size_t out = 0;
  std::size_t in = 0;

  std::size_t strips() const { return pad_columns(out) / kLanes; }
  std::size_t blocks() const { return (pad_columns(in) + kBlockColumns - 1) / kBlockColumns; }
  std::size_t block_columns(std::size_t block) const {
    return std::min(kBlockColumns, pad_columns(in) - block * kBlockColumns);
  }
  // Rows of a strip that hold weights; those behind them stay zero.
  std::size_t strip_rows(std::size_t strip) const { return std::min(kLanes, pad_rows(out - strip * kLanes)); }
  // Elements of the block (strip, block) up to the last weight.
  std::size_t block_size(std::size_t strip, std::size_t block) const {
    return strip_rows(strip) * block_columns(block);
  }
  // Start of the 16-row block (strip, block): [16][block_columns].
  std::size_t block_offset(std::size_t strip, std::size_t block) const {
    return strip * kLanes * pad_columns(in) + block * kBlockColumns * kLanes;
  }
  std::size_t offset(std::size_t o, std::size_t i) const {
    const std::size_t block = i / kBlockColumns;
    return block_offset(o / kLanes, block) + (o % kLanes) * block_columns(block) + i % kBlockColumns;
  }
  std::size_t size() const { return pad_columns(out) * pad_columns(in); }

  // Packed forms, in elements: forward has panels over out with k = in, backward panels over in with k = out.
  std::size_t forward_panel() const { return pad_columns(in) * kLanes; }
  std::size_t backward_panel() const { return pad_columns(out) * kLanes; }
};

}  // namespace halfstep::internal
