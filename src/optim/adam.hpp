// What Adam and its relatives share: the moments' kernel, and the bias corrections.
#pragma once
#include <cmath>

#include "optim/optimizer.hpp"

namespace halfstep::internal {

class AdamFamily : public Optimizer {
 protected:
  AdamFamily(const OptimizerOptions& options, const OptimizerTensors& tensors) : Optimizer(options, tensors, 2) {}

  // Counts a step in the powers of the betas: by running products, for pow differs between C libraries, and with it the
  // weights would.
  void count_powers() {
    beta1_power_ *= options_.beta1;
    beta2_power_ *= options_.beta2;
  }
  // Factors with the betas of the options and nothing else.
  AdamParameters with_betas() const {
    AdamParameters p = {};
    p.multiplier = 1;
    p.beta1 = static_cast<float>(options_.beta1);
    p.beta2 = static_cast<float>(options_.beta2);
    p.one_minus_beta1 = static_cast<float>(1 - options_.beta1);
    p.one_minus_beta2 = static_cast<float>(1 - options_.beta2);
    return p;
  }

  // The factors of Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019): `decoupled`. Bias corrections in
  // double, as PyTorch's fused form.
  void prepare_adam(double lr, bool decoupled) {
    count_powers();
    factors_ = with_betas();
    set_rate(lr / (1 - beta1_power_), decoupled ? lr * options_.weight_decay : 0);
    factors_.inv_sqrt_correction = static_cast<float>(1 / std::sqrt(1 - beta2_power_));
    factors_.epsilon = static_cast<float>(options_.epsilon);
    factors_.l2 = decoupled ? 0.0f : static_cast<float>(options_.weight_decay);
  }

  // Of a tensor whose rate has no factor.
  void set_rate(double step_size, double decay) {
    step_size_ = step_size;
    decay_ = decay;
    factors_.step_size = static_cast<float>(step_size);
    factors_.decay = static_cast<float>(1 - decay);
  }

  AdamParameters factors_ = {};  // of this step
  double beta1_power_ = 1, beta2_power_ = 1;

 private:
  double step_size_ = 0, decay_ = 0;  // of factors_

  void forget_factors() override { beta1_power_ = beta2_power_ = 1; }
  void visit_factors(StateVisitor& visitor) override {
    visitor.number("beta1_power", beta1_power_);
    visitor.number("beta2_power", beta2_power_);
    if (!visitor.loads_scalars()) return;
    const auto is_power = [](double p) { return p >= 0 && p <= 1; };
    if (!is_power(beta1_power_)) visitor.out_of_range("beta1_power");
    if (!is_power(beta2_power_)) visitor.out_of_range("beta2_power");
  }

  void update(const KernelTable& kernels, std::size_t n, const ScaledGradient& grad, float* weights, float* first,
              float* second) const override {
    AdamParameters p = factors_;
    p.multiplier = grad.multiplier;
    p.limit = grad.limit;
    if (grad.rate != 1) {
      p.step_size = static_cast<float>(step_size_ * grad.rate);
      if (p.decay != 1) p.decay = static_cast<float>(1 - decay_ * grad.rate);
    }
    if (!grad.decays) p.decay = 1, p.l2 = 0;
    kernels.adam(n, grad.data, weights, first, second, p);
  }
};

}  // namespace halfstep::internal
