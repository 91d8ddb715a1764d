#include <cmath>

#include "optim/optimizer.hpp"

namespace halfstep::internal {
namespace {

// Kingma and Ba, 2015; AdamW: Loshchilov and Hutter, 2019. Bias corrections in double, as PyTorch's fused form.
class Adam final : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, const OptimizerTensors& tensors) : Optimizer(options, tensors, 2) {}

 private:
  void prepare(double lr) override {
    const bool decoupled = options_.kind == OptimizerKind::adamw;
    // beta^t by running products: pow differs between C libraries, and with it the weights would.
    beta1_power_ *= options_.beta1;
    beta2_power_ *= options_.beta2;
    factors_ = {.multiplier = 1,
                .limit = 0,
                .beta1 = static_cast<float>(options_.beta1),
                .beta2 = static_cast<float>(options_.beta2),
                .one_minus_beta1 = static_cast<float>(1 - options_.beta1),
                .one_minus_beta2 = static_cast<float>(1 - options_.beta2),
                .step_size = static_cast<float>(lr / (1 - beta1_power_)),
                .inv_sqrt_correction = static_cast<float>(1 / std::sqrt(1 - beta2_power_)),
                .epsilon = static_cast<float>(options_.epsilon),
                .decay = decoupled ? static_cast<float>(1 - lr * options_.weight_decay) : 1.0f,
                .l2 = decoupled ? 0.0f : static_cast<float>(options_.weight_decay)};
  }

  void visit_factors(StateVisitor& visitor) override {
    visitor.number("beta1_power", beta1_power_);
    visitor.number("beta2_power", beta2_power_);
  }

  void update(const KernelTable& kernels, std::size_t n, const ScaledGradient& grad, float* weights, float* first,
              float* second) const override {
    AdamParameters p = factors_;
    p.multiplier = grad.multiplier;
    p.limit = grad.limit;
    if (!grad.decays) p.decay = 1, p.l2 = 0;
    kernels.adam(n, grad.data, weights, first, second, p);
  }

  AdamParameters factors_ = {};
  double beta1_power_ = 1;
  double beta2_power_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<Adam>(options, tensors);
}

}  // namespace halfstep::internal
