// BatchNorm (Ioffe and Szegedy, 2015) of a layer's z. A training step normalises by the columns of its batch, a forward
// pass without a mask by running statistics, which follow the batches of applied steps as PyTorch's do: variances
// unbiased, a tenth of each batch.
#pragma once
#include <cstddef>

#include "nn/mlp.hpp"

namespace halfstep {

inline constexpr float kRunningMomentum = 0.1f;

// Takes the memory beside that of gamma and beta; running means 0, variances 1.
void claim_batch_norm(Dense& l, bool training);

// l.columns from position `first` on, a multiple of 16.
ColumnStatistics columns_from(Dense& l, std::size_t first = 0);

// l.columns from the first `rows` rows of l.z, or from the running statistics.
void take_batch_statistics(GemmContext&, Dense& l, std::size_t rows);
void take_running_statistics(const KernelTable&, Dense& l);

// One batch more in what the running statistics will be.
void follow_batch(const KernelTable&, Dense& l, std::size_t rows);

// The second half of backward_rows, which has left in d_z [rows][padded out] the gradient by what the norm gave out and
// in the sums of gamma and beta those of its chunks.
void batch_norm_backward(GemmContext&, Dense& l, std::size_t rows, float* d_z, StorageTarget d);

}  // namespace halfstep
