#include <cmath>

#include "optim/adam.hpp"

namespace halfstep::internal {
namespace {

// Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, algorithm 2, with decoupled decay.
// While too few squares have been averaged for their variance to be known, a step goes by the first moment alone; then
// it is shortened by how well it is known. PyTorch draws the line at 5 as here, the paper at 4.
class RAdam final : public AdamFamily {
 public:
  RAdam(const OptimizerOptions& options, const OptimizerTensors& tensors) : AdamFamily(options, tensors) {}

 private:
  void prepare(double lr) override {
    count_powers();
    const auto step = static_cast<double>(steps());
    const double most = 2 / (1 - options_.beta2) - 1;  // length of the average in the end, and now
    const double length = most - 2 * step * beta2_power_ / (1 - beta2_power_);
    const bool adapts = length > 5;
    const double shorter =
        adapts ? std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) : 1;
    // The kernel divides m by sqrt(v) c + epsilon. With a tiny c and an epsilon of 1 that leaves m as it is, but where
    // v has overflowed to infinity it still makes 0 of it.
    const double correction = adapts ? 1 / std::sqrt(1 - beta2_power_) : 1e-30;
    factors_ = with_betas();
    set_rate(lr * shorter / (1 - beta1_power_), lr * options_.weight_decay);
    factors_.inv_sqrt_correction = static_cast<float>(correction);
    factors_.epsilon = adapts ? static_cast<float>(options_.epsilon * correction) : 1.0f;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_radam(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<RAdam>(options, tensors);
}

}  // namespace halfstep::internal
