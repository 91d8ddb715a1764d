#include <utility>

#include "loss/loss.hpp"

namespace halfstep::internal {
namespace {

// -log softmax(logits)[label]; gradient softmax - onehot.
class CrossEntropy final : public Loss {
 public:
  double row(const KernelTable& kernels, const float* logits, std::size_t columns, std::size_t index,
             const Targets& targets, float scale, float* d) const override {
    return kernels.softmax_cross_entropy(columns, logits, targets.labels[index], scale, d);
  }
};

// sum of t[c] (-log softmax(logits)[c]) with t[c] = w[c] ((1 - smoothing) onehot[c] + smoothing / columns); gradient
// softmax sum(t) - t. As PyTorch's CrossEntropyLoss: the mean is over the weights of the labels.
class WeightedCrossEntropy final : public Loss {
 public:
  explicit WeightedCrossEntropy(CrossEntropyOptions options) : options_(std::move(options)) {}

  double weight(std::size_t index, const Targets& targets) const override {
    return class_weight(static_cast<std::size_t>(targets.labels[index]));
  }

  double row(const KernelTable& kernels, const float* logits, std::size_t columns, std::size_t index,
             const Targets& targets, float scale, float* d) const override {
    const auto label = static_cast<std::size_t>(targets.labels[index]);
    const double share = options_.label_smoothing / static_cast<double>(columns);
    const double own = class_weight(label) * (1 - options_.label_smoothing);
    double total = own;
    for (std::size_t c = 0; c < columns; ++c) total += class_weight(c) * share;
    const auto factor = static_cast<float>(total * static_cast<double>(scale));
    const double of_label = kernels.softmax_cross_entropy(columns, logits, targets.labels[index], factor, d);
    double loss = own * of_label;
    if (share == 0) return loss;
    // What the kernel took from the label alone belongs to all classes in part.
    const double log_sum = of_label + static_cast<double>(logits[label]);
    d[label] += static_cast<float>((total - own) * static_cast<double>(scale));
    for (std::size_t c = 0; c < columns; ++c) {
      const double t = class_weight(c) * share;
      loss += t * (c == label ? of_label : log_sum - static_cast<double>(logits[c]));
      d[c] -= static_cast<float>(t * static_cast<double>(scale));
    }
    return loss;
  }

 private:
  double class_weight(std::size_t c) const { return options_.class_weights.empty() ? 1 : options_.class_weights[c]; }

  CrossEntropyOptions options_;
};

}  // namespace

std::unique_ptr<Loss> make_cross_entropy(const CrossEntropyOptions& options) {
  if (options.label_smoothing == 0 && options.class_weights.empty()) return std::make_unique<CrossEntropy>();
  return std::make_unique<WeightedCrossEntropy>(options);
}

}  // namespace halfstep::internal
