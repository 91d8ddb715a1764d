// The orthogonal factor of a matrix: its singular vectors with all singular values near 1, what Muon steps by.
#pragma once
#include <cstddef>
#include <span>

#include "base/arena.hpp"
#include "base/function_ref.hpp"
#include "gemm/gemm.hpp"

namespace halfstep::internal {

// Newton-Schulz iterations X <- p(X X^T) X (Jordan et al., 2024, "Muon"), as products of bf16 with fp32 sums, the
// symmetric ones by half. Two, of p of degree 4 and 2, instead of the usual five of degree 2: less than half the work
// for singular values within 0.74 to 1.26 down to a 40th of the largest (orthogonal.cpp). Five tables trained as well
// with it as with three iterations that reach down to a 330th.
class Orthogonal {
 public:
  // Writes block (strip, block) of the matrix: [strip_rows][block_columns].
  using Fill = FunctionRef<void(std::size_t strip, std::size_t block, float* values)>;
  using See = FunctionRef<void(const StripPart& part)>;

  // Takes memory for the largest of these.
  explicit Orthogonal(std::span<const WeightLayout> layouts);

  // `fill` and `see` are called once for each block, from several threads. The factor of a matrix that is zero, or far
  // beyond what fp32 can square, is zero. Same bits on every ISA and at any number of threads.
  void run(GemmContext& context, const WeightLayout& layout, Fill fill, See see);

  std::size_t memory_bytes() const;

 private:
  struct Run;

  AlignedBuffer<float> whole_, gram_, square_;            // in strips: of the matrix; X X^T, its square
  AlignedBuffer<std::byte> forward_, backward_, spare_;   // X in both packed forms, and one of the next X
  AlignedBuffer<std::byte> gram_panels_, factors_[2];     // X X^T; what p of it is made of
  const AlignedBuffer<std::byte>* polynomial_ = nullptr;  // which of these p(X X^T) took the place of
  AlignedBuffer<double> squares_;                         // of each block
};

}  // namespace halfstep::internal
