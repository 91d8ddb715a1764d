// What Adam and its relatives share: the moments' kernel, and the bias corrections.
#pragma once
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

  AdamParameters factors_ = {};  // of this step
  double beta1_power_ = 1, beta2_power_ = 1;

 private:
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
    if (!grad.decays) p.decay = 1, p.l2 = 0;
    kernels.adam(n, grad.data, weights, first, second, p);
  }
};

}  // namespace halfstep::internal
