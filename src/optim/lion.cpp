#include "optim/optimizer.hpp"

namespace halfstep::internal {
namespace {

// Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2; decay decoupled as there.
class Lion final : public Optimizer {
 public:
  Lion(const OptimizerOptions& options, const OptimizerTensors& tensors) : Optimizer(options, tensors, 1) {}

 private:
  void prepare(double lr) override {
    lr_ = lr;
    factors_.lr = static_cast<float>(lr);
    factors_.one_minus_beta1 = static_cast<float>(1 - options_.beta1);
    factors_.one_minus_beta2 = static_cast<float>(1 - options_.beta2);
    factors_.weight_decay = static_cast<float>(options_.weight_decay);
  }

  void update(const KernelTable& kernels, std::size_t n, const ScaledGradient& grad, float* weights, float* first,
              float*) const override {
    LionParameters p = factors_;
    p.multiplier = grad.multiplier;
    p.limit = grad.limit;
    if (!grad.decays) p.weight_decay = 0;
    if (grad.rate != 1) p.lr = static_cast<float>(lr_ * grad.rate);
    kernels.lion(n, grad.data, weights, first, p);
  }

  LionParameters factors_ = {};
  double lr_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> make_lion(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<Lion>(options, tensors);
}

}  // namespace halfstep::internal
