#include "loss/loss.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "base/dtype.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMaxStackColumns = 8192, kMaxStackChunks = 512;

std::size_t pad(std::size_t columns) { return (columns + kLanes - 1) / kLanes * kLanes; }

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

// The logits of one member and the gradient by them, apart from those of the others: kernels read whole vectors.
class MemberRow {
 public:
  explicit MemberRow(std::size_t width) : rows_(width) {}
  const float* read(const float* logits, std::size_t columns) {
    std::fill(std::copy_n(logits, columns, rows_.row(0)), rows_.row(1), 0.0f);
    return rows_.row(0);
  }
  float* gradient() { return rows_.row(1); }

 private:
  RowPair rows_;
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
  const std::size_t members = logits.members, rows = logits.rows * members, chunks = sum_chunks(rows);
  std::vector<double> heap(chunks > kMaxStackChunks ? chunks : 0);
  double stack[kMaxStackChunks];
  const std::span<double> partial(heap.empty() ? stack : heap.data(), chunks);
  std::fill(partial.begin(), partial.end(), 0.0);
  const double of_all = weight * static_cast<double>(members);
  const float row_scale = of_all != 0 ? scale / static_cast<float>(of_all) : 0.0f;
  const std::size_t width = pad(logits.columns * members);
  auto body = [&](std::size_t chunk, int) {
    RowPair d(width);
    MemberRow of_member(members > 1 ? pad(logits.columns) : 0);
    const std::size_t begin = chunk * kSumRows, end = std::min(rows, begin + kSumRows);
    float* sums = gradient ? gradient->sums + chunk * gradient->sum_ld : nullptr;
    if (sums) std::memset(sums, 0, width * sizeof(float));
    for (std::size_t i = begin; i < end; i += 2) {
      for (std::size_t j = 0; j < 2; ++j) {
        float* const d_row = d.row(j);
        if (i + j == end || members > 1) std::memset(d_row, 0, width * sizeof(float));
        if (i + j == end) continue;  // the padding row of an odd batch
        const std::size_t example = (i + j) / members, first = (i + j) % members * logits.columns;
        const float of_row = targets.weights ? targets.weights[example] : 1.0f;
        const float* of_logits = logits.data + (i + j) * logits.ld;
        if (members > 1) of_logits = of_member.read(of_logits + first, logits.columns);
        float* const to = members > 1 ? of_member.gradient() : d_row;
        const double row_loss = loss.row(kernels, of_logits, logits.columns, example, targets, row_scale * of_row, to);
        if (members > 1) std::copy_n(to, logits.columns, d_row + first);
        partial[chunk] += targets.weights ? row_loss * static_cast<double>(of_row) : row_loss;
        if (sums) kernels.add(width, d_row, sums);
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
  for (double p : partial) sum += p / static_cast<double>(members);
}

}  // namespace halfstep::internal
