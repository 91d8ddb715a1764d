#include <cmath>

#include "optim/optimizer.hpp"

namespace halfstep::internal {
namespace {

// Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, algorithm 2, with decoupled decay.
// While too few squares have been averaged for their variance to be known, a step goes by the first moment alone; then
// it is shortened by how well it is known. PyTorch draws the line at 5 as here, the paper at 4.
class RAdam final : public Optimizer {
 public:
  RAdam(const OptimizerOptions& options, const OptimizerTensors& tensors) : Optimizer(options, tensors, 2) {}

 private:
  void prepare(double lr) override {
    beta1_power_ *= options_.beta1;
    beta2_power_ *= options_.beta2;
    const auto step = static_cast<double>(steps());
    const double most = 2 / (1 - options_.beta2) - 1;  // length of the average in the end, and now
    const double length = most - 2 * step * beta2_power_ / (1 - beta2_power_);
    const bool adapts = length > 5;
    const double shorter =
        adapts ? std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) : 1;
    // m / (sqrt(v) c + e): with the least c it is m, yet 0 where v has overflowed.
    const double correction = adapts ? 1 / std::sqrt(1 - beta2_power_) : 1e-30;
    factors_ = {.multiplier = 1,
                .limit = 0,
                .beta1 = static_cast<float>(options_.beta1),
                .beta2 = static_cast<float>(options_.beta2),
                .one_minus_beta1 = static_cast<float>(1 - options_.beta1),
                .one_minus_beta2 = static_cast<float>(1 - options_.beta2),
                .step_size = static_cast<float>(lr * shorter / (1 - beta1_power_)),
                .inv_sqrt_correction = static_cast<float>(correction),
                .epsilon = adapts ? static_cast<float>(options_.epsilon * correction) : 1.0f,
                .decay = static_cast<float>(1 - lr * options_.weight_decay),
                .l2 = 0};
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
    if (!grad.decays) p.decay = 1;
    kernels.adam(n, grad.data, weights, first, second, p);
  }

  AdamParameters factors_ = {};
  double beta1_power_ = 1;
  double beta2_power_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> make_radam(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<RAdam>(options, tensors);
}

}  // namespace halfstep::internal
