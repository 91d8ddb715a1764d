// What a hidden layer does to whole rows after its product: normalisation, activation, dropout, the input that skips
// it, in this order. A pass of its own over the rows, in fp32 from what z holds to one rounding at the end.
#pragma once
#include <cstddef>

#include "gemm/gemm.hpp"
#include "nn/mlp.hpp"

namespace halfstep {

inline constexpr float kNormEpsilon = 1e-5f;

// Rows below this many elements in all are not worth a second thread.
inline constexpr std::size_t kWorthAThread = std::size_t{1} << 14;

// Takes the memory of l.norm for `rows` rows.
void claim_norm(Dense& l, std::size_t rows, bool training);
// Gamma and running variance 1, beta and running mean 0.
void initialise_norm(Dense& l);

// y from l.z of a batch of `rows` rows, and from `x`, the layer's input, where that skips it (data null: it does not).
// For Norm::batch the statistics in l.columns are the caller's to take.
void forward_rows(GemmContext&, Dense& l, std::size_t rows, const DropoutMask& mask, RowsOperand x, StorageTarget y);

// From d_y [rows][padded out], the gradient by y, that by z, rounded to d. It is worked out in d_z, of the same shape,
// which may be d_y. `sums` [sum_chunks][padded out] and those of the norm's parameters are overwritten with column
// sums.
void backward_rows(GemmContext&, Dense& l, std::size_t rows, const DropoutMask& mask, const float* d_y, float* d_z,
                   StorageTarget d, float* sums);

// Gradients of gamma and beta from their sums, as Mlp::backward has them.
void norm_gradient(GemmContext&, Dense& l, std::size_t rows, bool accumulate);

}  // namespace halfstep
