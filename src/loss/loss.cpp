#include "loss/loss.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "base/dtype.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMaxStackColumns = 8192, kMaxStackChunks = 512;

// Two rows of gradients, on the stack unless the output is very wide.
class RowPair {
 public:
  explicit RowPair(std::size_t width) : width_(width) {
    if (2 * width > kMaxStackColumns) heap_.resize(2 * width);
  }
  float* row(std::size_t i) { return (heap_.empty() ? stack_ : heap_.data()) + i * width_; }

 private:
  std::size_t width_;
  std::vector<float> heap_;
  alignas(64) float stack_[kMaxStackColumns];
};

}  // namespace

// One file each.
std::unique_ptr<Loss> make_cross_entropy(const CrossEntropyOptions& options);
std::unique_ptr<Loss> make_binary_cross_entropy();
std::unique_ptr<Loss> make_mse();
std::unique_ptr<Loss> make_huber(double delta);
std::unique_ptr<Loss> make_mae();

std::unique_ptr<Loss> make_loss(LossKind kind, double huber_delta, const CrossEntropyOptions& cross_entropy) {
  switch (kind) {
    case LossKind::cross_entropy:
      return make_cross_entropy(cross_entropy);
    case LossKind::binary_cross_entropy:
      return make_binary_cross_entropy();
    case LossKind::mse:
      return make_mse();
    case LossKind::huber:
      return make_huber(huber_delta);
    case LossKind::mae:
      return make_mae();
  }
  return nullptr;
}

double total_weight(const Loss& loss, const Targets& targets, std::size_t rows) {
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    sum +=
        targets.weights ? loss.weight(i, targets) * static_cast<double>(targets.weights[i]) : loss.weight(i, targets);
  }
  return sum;
}

double evaluate_loss(const Loss& loss, const KernelTable& kernels, Executor& executor, const LogitsView& logits,
                     const Targets& targets, float scale, const LossGradient* gradient) {
  const double weight = total_weight(loss, targets, logits.rows);
  double sum = 0;
  add_losses(loss, kernels, executor, logits, targets, scale, gradient, weight, sum);
  return mean_loss(sum, weight);
}

void add_losses(const Loss& loss, const KernelTable& kernels, Executor& executor, const LogitsView& logits,
                const Targets& targets, float scale, const LossGradient* gradient, double weight, double& sum) {
  // A task is a chunk of kSumRows rows; the chunks' losses are added in their order.
  const std::size_t chunks = sum_chunks(logits.rows);
  std::vector<double> heap(chunks > kMaxStackChunks ? chunks : 0);
  double stack[kMaxStackChunks];
  const std::span<double> partial(heap.empty() ? stack : heap.data(), chunks);
  std::fill(partial.begin(), partial.end(), 0.0);
  const float row_scale = weight != 0 ? scale / static_cast<float>(weight) : 0.0f;
  const std::size_t width = (logits.columns + kLanes - 1) / kLanes * kLanes;
  auto body = [&](std::size_t chunk, int) {
    RowPair d(width);
    const std::size_t begin = chunk * kSumRows, end = std::min(logits.rows, begin + kSumRows);
    float* sums = gradient ? gradient->sums + chunk * gradient->sum_ld : nullptr;
    if (sums) std::memset(sums, 0, width * sizeof(float));
    for (std::size_t i = begin; i < end; i += 2) {
      for (std::size_t j = 0; j < 2; ++j) {
        if (i + j == end) {
          std::memset(d.row(j), 0, width * sizeof(float));  // the padding row of an odd batch
          continue;
        }
        const float of_row = targets.weights ? targets.weights[i + j] : 1.0f;
        const double row_loss = loss.row(kernels, logits.data + (i + j) * logits.ld, logits.columns, i + j, targets,
                                         row_scale * of_row, d.row(j));
        partial[chunk] += targets.weights ? row_loss * static_cast<double>(of_row) : row_loss;
        if (sums) kernels.add(width, d.row(j), sums);
      }
      if (!gradient) continue;
      StorageTarget t = gradient->target;
      const std::size_t element = size_of(t.dtype);
      t.rows = static_cast<std::byte*>(t.rows) + i * t.ld * element;
      if (t.panels) t.panels = static_cast<std::byte*>(t.panels) + i * kLanes * element;
      kernels.store_rows[index_of(t.dtype)](width, d.row(0), d.row(1), t);
    }
  };
  static_assert(kSumRows % 2 == 0);
  executor.run(chunks, body);
  for (double p : partial) sum += p;
}

}  // namespace halfstep::internal
