// The kernels of a KernelTable as the kernel benchmark calls them: on plain arrays, a row each.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/dtype.hpp"
#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

enum class ArrayUse : std::uint8_t { none, read, write, update };  // update: both, in place

inline constexpr std::size_t kFp32Arrays = 4, kStoredArrays = 3;

// Pieces are multiples of this; kernels on blocks take it as 16 x 64.
inline constexpr std::size_t kPieceGrain = 1024;

// Where a kernel works: `elements` of each array that its row uses. fp32[3] is never negative.
struct KernelPiece {
  const KernelTable& kernels;
  std::size_t elements;
  Dtype dtype;  // of the stored arrays
  float* fp32[kFp32Arrays];
  std::byte* stored[kStoredArrays];

  std::size_t index() const { return index_of(dtype); }
  std::byte* at(std::size_t array, std::size_t element) const { return stored[array] + element * size_of(dtype); }
};

struct KernelRow {
  std::string_view name;
  std::span<const Dtype> dtypes;  // kernels without storage types have fp32 alone
  void (*run)(const KernelPiece&);
  ArrayUse fp32[kFp32Arrays];
  ArrayUse stored[kStoredArrays];
};

std::span<const KernelRow> kernel_rows();

// Bytes of an element: of all arrays together, and moved (an update counts twice).
struct KernelBytes {
  std::size_t held = 0, moved = 0;
};
KernelBytes bytes_of(const KernelRow& row, Dtype dtype);

}  // namespace halfstep::internal
