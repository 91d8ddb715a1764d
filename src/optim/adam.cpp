#include <cmath>

#include "optim/optimizers.hpp"

namespace halfstep {
namespace {

// Kingma and Ba, 2015; AdamW: Loshchilov and Hutter, 2019. Bias corrections in double, as PyTorch's fused form.
class Adam final : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, const std::vector<std::size_t>& sizes)
      : Optimizer(sizes.size()), options_(options) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      first_[i] = AlignedBuffer<float>(sizes[i]);
      second_[i] = AlignedBuffer<float>(sizes[i]);
    }
  }

  void begin_step(double lr, float multiplier, float limit) override {
    ++steps_;
    const bool decoupled = options_.kind == OptimizerKind::adamw;
    // beta^t by running products: pow differs between C libraries, and with it the weights would.
    beta1_power_ *= options_.beta1;
    beta2_power_ *= options_.beta2;
    factors_ = {.multiplier = multiplier,
                .limit = limit,
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

  void apply(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n, const float* grad,
             float* master) override {
    kernels.adam(n, grad, master, first_[tensor].data() + offset, second_[tensor].data() + offset, factors_);
  }

 private:
  OptimizerOptions options_;
  AdamParameters factors_ = {};
  double beta1_power_ = 1;
  double beta2_power_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const std::vector<std::size_t>& sizes) {
  return std::make_unique<Adam>(options, sizes);
}

}  // namespace halfstep
