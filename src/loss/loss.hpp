// Losses from logits and their gradients. Mean over the batch (and over the outputs where there are several). The scale
// is a plain float: this folder does not know why somebody wants the gradient larger.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "halfstep/types.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep {

// Truth of one batch: labels for the two cross-entropies, values for the regressions.
struct Targets {
  const std::int32_t* labels = nullptr;  // [rows]
  const float* values = nullptr;         // [rows][columns]
};

struct LogitsView {
  const float* data;
  std::size_t ld;       // at least the padded columns
  std::size_t columns;  // valid
  std::size_t rows;     // valid; the gradient of a padding row is zero
};

// Where the gradient goes: storage type in both layouts, and its column sums before rounding in chunks of `sum_rows`
// rows ([chunks][ld]).
struct LossGradient {
  StorageTarget target;
  float* sums;
  std::size_t sum_rows;
  std::size_t sum_ld;
};

class Loss {
 public:
  virtual ~Loss() = default;
  // Loss of one row; d[0..columns) = gradient by the logits times `scale`, zero up to the padded width.
  virtual double row(const KernelTable&, const float* logits, std::size_t columns, std::size_t index, const Targets&,
                     float scale, float* d) const = 0;
};

// The one table of losses. `huber_delta` counts for huber alone.
std::unique_ptr<Loss> make_loss(LossKind kind, double huber_delta);

// Mean loss of the batch; the gradient by the logits, times `scale`, when `gradient` is not null. NaN logits give a NaN
// loss.
double evaluate_loss(const Loss&, const KernelTable&, Executor&, const LogitsView&, const Targets&, float scale,
                     const LossGradient* gradient);

}  // namespace halfstep
