#include <algorithm>
#include <cmath>
#include <limits>

#include "optim/adam.hpp"
#include "optim/orthogonal.hpp"

namespace halfstep::internal {
namespace {

std::vector<WeightLayout> hidden_layouts(const OptimizerTensors& tensors) {
  std::vector<WeightLayout> layouts;
  for (const OptimizerTensor& t : tensors) {
    if (t.hidden) layouts.push_back(*t.hidden);
  }
  return layouts;
}

OptimizerTensors decaying_matrices(OptimizerTensors tensors) {
  for (OptimizerTensor& t : tensors) t.decays = t.decays && !t.vector;
  return tensors;
}

// Jordan et al., 2024, "Muon: an optimizer for hidden layers in neural networks": a step along the orthogonal factor of
// Nesterov's momentum. Times 0.2 sqrt(larger side) its elements are as large as a step of AdamW's usually is, so that
// one rate suits both (Liu et al., 2025, "Muon is scalable for LLM training"). AdamW for all but the weights of hidden
// layers, the first included, as Gorishniy et al. (2026, "Benchmarking optimizers for MLPs in tabular deep learning").
// Only matrices decay: on five tables that is no worse than all.
class Muon final : public AdamFamily {
 public:
  Muon(const OptimizerOptions& options, const OptimizerTensors& tensors)
      : AdamFamily(options, tensors), orthogonal_(hidden_layouts(tensors)) {}

  bool takes_whole(std::size_t tensor) const override { return shape_of(tensor).hidden.has_value(); }

  void apply_matrix(GemmContext& context, std::size_t tensor, const float* grad, VisitBlock visit) override {
    const WeightLayout& layout = *shape_of(tensor).hidden;
    const KernelTable& kernels = context.kernels;
    const auto momentum = [&](std::size_t strip, std::size_t block, float* values) {
      const std::size_t offset = layout.block_offset(strip, block);
      follow(kernels, tensor, offset, layout.block_size(strip, block), grad + offset, values);
    };
    const SgdParameters step = step_of(layout, shape_of(tensor));
    const auto finish = [&](const StripPart& part) {
      const std::size_t block = part.column / kBlockColumns, n = layout.block_size(part.strip, block);
      const std::size_t offset = layout.block_offset(part.strip, block);
      visit(part.strip, block, [&](float* weights) {
        widen_weights(kernels, tensor, offset, n, weights);
        kernels.sgd(n, part.sums, weights, nullptr, step);
        round_weights(kernels, tensor, offset, n, weights);
      });
    };
    orthogonal_.run(context, layout, momentum, finish);
  }

  std::size_t memory_bytes() const override { return Optimizer::memory_bytes() + orthogonal_.memory_bytes(); }

 private:
  static constexpr float kNoLimit = std::numeric_limits<float>::infinity();

  void prepare(double lr) override {
    prepare_adam(lr, true);
    lr_ = lr;
  }

  // Momentum b <- mu b + (1 - mu) g, and in `ahead` what lies one step ahead of it: mu b + (1 - mu) g. No element is
  // larger than the largest gradient.
  void follow(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n, const float* grad,
              float* ahead) {
    const auto multiplier =
        static_cast<float>(static_cast<double>(multiplier_of(tensor)) * (1 - options_.muon_momentum));
    const SgdParameters p = {multiplier, limit(), -1, static_cast<float>(options_.muon_momentum), 0, true};
    MomentScratch scratch;
    const WideMoments moments = load_moments(kernels, tensor, offset, n, scratch);
    std::fill_n(ahead, n, 0.0f);
    kernels.sgd(n, grad, ahead, moments.first, p);
    store_moments(kernels, tensor, offset, n, moments);
  }

  // w <- (1 - lr weight_decay) w - lr 0.2 sqrt(larger side) direction.
  SgdParameters step_of(const WeightLayout& layout, const OptimizerTensor& tensor) const {
    const double size = 0.2 * std::sqrt(static_cast<double>(std::max(layout.out, layout.in)));
    const double decay = tensor.decays ? options_.weight_decay / size : 0;
    return {1, kNoLimit, static_cast<float>(lr_ * tensor.rate * size), 0, static_cast<float>(decay), false};
  }

  Orthogonal orthogonal_;
  double lr_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> make_muon(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<Muon>(options, decaying_matrices(tensors));
}

}  // namespace halfstep::internal
