// The orthogonal factor of a matrix: its singular vectors with all singular values near 1, what Muon steps by.
#pragma once
#include <cstddef>
#include <span>

#include "base/arena.hpp"
#include "base/function_ref.hpp"
#include "gemm/gemm.hpp"

namespace halfstep::internal {

// Newton-Schulz iterations X <- p(X X^T) X (Jordan et al., 2024, "Muon"), as products of bf16 with fp32 sums, the
// symmetric ones by half. Two of p of degree 4 instead of the usual five of degree 2: half the work for singular values
// within 0.71 to 1.29 down to an 80th of the largest (orthogonal.cpp).
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

  AlignedBuffer<float> whole_, gram_, square_;           // in strips: of the matrix; X X^T, its square
  AlignedBuffer<std::byte> forward_, backward_, spare_;  // X in both packed forms, and one of the next X
  AlignedBuffer<std::byte> gram_panels_, factors_[2];    // X X^T, then p(X X^T); what that is made of
  AlignedBuffer<double> squares_;                        // of each block
};

}  // namespace halfstep::internal
