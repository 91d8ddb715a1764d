// The memory of one row of the kernel benchmark.
#pragma once
#include <span>

#include "base/arena.hpp"
#include "bench/kernel_rows.hpp"

namespace halfstep::internal {

class KernelArrays {
 public:
  // Room for `elements` of each array, rounded up to equal pieces, filled with ordinary numbers.
  // Throws Error(out_of_memory).
  KernelArrays(const KernelRow& row, Dtype dtype, std::size_t elements);

  std::size_t elements() const { return pieces_ * piece_; }
  std::size_t pieces() const { return pieces_; }
  std::size_t piece_elements() const { return piece_; }
  std::size_t bytes() const { return elements() * bytes_of(row_, dtype_).held; }

  // Piece number turn % pieces().
  KernelPiece piece(const KernelTable& kernels, std::size_t turn);

 private:
  // An array, if the row uses it. Each starts on a line of its own within a page, since stores wait for loads that
  // have the same place in another page.
  struct Array {
    AlignedBuffer<std::byte> memory;
    std::size_t offset = 0, element = 0;
    std::byte* at(std::size_t index) { return memory.data() + offset + index * element; }
  };
  void take(Array& array, ArrayUse use, std::size_t element);
  void fill(Array& array, Dtype dtype, float least);

  const KernelRow& row_;
  Dtype dtype_;
  std::size_t pieces_, piece_;
  std::size_t arrays_ = 0;
  Array fp32_[kFp32Arrays], stored_[kStoredArrays];
};

}  // namespace halfstep::internal
