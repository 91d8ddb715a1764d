// What a hidden layer does to whole rows after its product: normalisation, activation, dropout, in this order. A pass
// of its own over the rows, in fp32 from what z holds to one rounding at the end.
#pragma once
#include <cstddef>

#include "gemm/gemm.hpp"
#include "nn/mlp.hpp"

namespace halfstep {

inline constexpr float kNormEpsilon = 1e-5f;

// Rows below this many elements in all are not worth a second thread.
inline constexpr std::size_t kWorthAThread = std::size_t{1} << 14;

// Takes the memory of l.norm for `rows` rows; gamma is 1, beta 0.
void claim_norm(Dense& l, std::size_t rows, bool training);

// y from l.z of a batch of `rows` rows. For Norm::batch the statistics in l.columns are the caller's to take.
void forward_rows(GemmContext&, Dense& l, std::size_t rows, const DropoutMask& mask, StorageTarget y);

// d_y [rows][padded out] goes from the gradient by y to that by z, and rounded to d. `sums` [sum_chunks][padded out]
// and those of the norm's parameters are overwritten with column sums.
void backward_rows(GemmContext&, Dense& l, std::size_t rows, const DropoutMask& mask, float* d_y, StorageTarget d,
                   float* sums);

// Gradients of gamma and beta from their sums, as Mlp::backward has them.
void norm_gradient(GemmContext&, Dense& l, std::size_t rows, bool accumulate);

}  // namespace halfstep
