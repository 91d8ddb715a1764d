#include "optim/adam.hpp"

#include <cmath>

namespace halfstep::internal {
namespace {

// Kingma and Ba, 2015; AdamW: Loshchilov and Hutter, 2019. Bias corrections in double, as PyTorch's fused form.
class Adam final : public AdamFamily {
 public:
  Adam(const OptimizerOptions& options, const OptimizerTensors& tensors) : AdamFamily(options, tensors) {}

 private:
  void prepare(double lr) override {
    const bool decoupled = options_.kind == OptimizerKind::adamw;
    count_powers();
    factors_ = with_betas();
    factors_.step_size = static_cast<float>(lr / (1 - beta1_power_));
    factors_.inv_sqrt_correction = static_cast<float>(1 / std::sqrt(1 - beta2_power_));
    factors_.epsilon = static_cast<float>(options_.epsilon);
    factors_.decay = decoupled ? static_cast<float>(1 - lr * options_.weight_decay) : 1.0f;
    factors_.l2 = decoupled ? 0.0f : static_cast<float>(options_.weight_decay);
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<Adam>(options, tensors);
}

}  // namespace halfstep::internal
