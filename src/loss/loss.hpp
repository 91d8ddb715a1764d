// Losses from logits and their gradients. Mean over the batch by the rows' weights (and over the outputs where there
// are several). The scale is a plain float: this folder does not know why somebody wants the gradient larger.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "halfstep/types.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

// Whether a row's truth is the label of its class; else it is a value for each output.
constexpr bool has_labels(LossKind kind) {
  return kind == LossKind::cross_entropy || kind == LossKind::binary_cross_entropy;
}

// Truth of one batch: labels for the two cross-entropies, values for the regressions.
struct Targets {
  const std::int32_t* labels = nullptr;  // [rows]
  const float* values = nullptr;         // [rows][columns]
  const float* weights = nullptr;        // [rows], >= 0: how much a row counts; null: all alike
};

struct LogitsView {
  const float* data;
  std::size_t ld;       // at least the padded columns
  std::size_t columns;  // valid
  std::size_t rows;     // valid; the gradient of a padding row is zero
  // Of an ensemble: a row of examples has this many rows of logits, and in that of member m its columns begin at
  // m * columns. The loss of an example is the mean over the members; `rows` are those of the examples.
  std::size_t members = 1;
};

// Where the gradient goes: storage type in both layouts, and its column sums before rounding,
// [sum_chunks(rows)][sum_ld].
struct LossGradient {
  StorageTarget target;
  float* sums;
  std::size_t sum_ld;
};

class Loss {
 public:
  virtual ~Loss() = default;
  // Loss of one row; d[0..columns) = gradient by the logits times `scale`, zero up to the padded width.
  virtual double row(const KernelTable&, const float* logits, std::size_t columns, std::size_t index, const Targets&,
                     float scale, float* d) const = 0;
  // Of a row in the mean, by its class.
  virtual double weight(std::size_t /*index*/, const Targets&) const { return 1; }
};

// Of LossKind::cross_entropy alone.
struct CrossEntropyOptions {
  double label_smoothing = 0;         // share of the truth that is spread over all classes
  std::vector<double> class_weights;  // of each class; empty: 1
};

// The one table of losses. `huber_delta` counts for huber alone.
std::unique_ptr<Loss> make_loss(LossKind kind, double huber_delta, const CrossEntropyOptions& cross_entropy = {});

// What the mean is divided by: the number of rows unless classes or rows have weights. Zero where no row counts; the
// loss and its gradient are zero then.
double total_weight(const Loss&, const Targets&, std::size_t rows);

// Mean loss of the batch; the gradient by the logits, times `scale`, when `gradient` is not null. NaN logits give a NaN
// loss. Allocates nothing for up to 24576 rows and 4096 outputs.
double evaluate_loss(const Loss&, const KernelTable&, Executor&, const LogitsView&, const Targets&, float scale,
                     const LossGradient* gradient);

// Where these rows are a part of those that the mean is over, of `weight` in all: adds the rows' losses, each by its
// weight, to `sum`. Parts that follow each other and begin at multiples of kSumRows give the bits of the whole.
void add_losses(const Loss&, const KernelTable&, Executor&, const LogitsView&, const Targets&, float scale,
                const LossGradient* gradient, double weight, double& sum);
// What the sum over all parts comes to.
constexpr double mean_loss(double sum, double weight) { return weight != 0 ? sum / weight : 0; }

// For losses: zeroes d beyond the valid columns up to the padded width.
inline void clear_padding(float* d, std::size_t columns) {
  for (std::size_t i = columns; i % kLanes != 0; ++i) d[i] = 0.0f;
}

}  // namespace halfstep::internal
