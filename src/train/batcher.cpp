#include "train/batcher.hpp"

namespace halfstep::internal {

Batcher::Batcher(const data::Examples& examples, std::size_t max_rows, int threads)
    : examples_(examples),
      loader_(examples.features, threads),
      labels_(max_rows),
      values_(max_rows * examples.outputs),
      weights_(max_rows) {}

Targets Batcher::targets(std::span<const std::uint32_t> order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!examples_.labels.empty()) labels_[i] = examples_.labels[order[i]];
    const std::size_t n = examples_.targets.empty() ? 0 : examples_.outputs;
    for (std::size_t t = 0; t < n; ++t) values_[i * n + t] = examples_.targets[order[i] * n + t];
    if (!examples_.weights.empty()) weights_[i] = examples_.weights[order[i]];
  }
  return {labels_.data(), values_.data(), examples_.weights.empty() ? nullptr : weights_.data()};
}

void Batcher::load(GemmContext& context, std::span<const std::uint32_t> order, Activations& input) {
  loader_.load(context, input_rows(examples_), {.count = order.size(), .rows = order.data()}, input);
}

}  // namespace halfstep::internal
