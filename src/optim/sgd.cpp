#include "optim/optimizer.hpp"

namespace halfstep::internal {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const OptimizerTensors& tensors)
      : Optimizer(options, tensors, options.momentum != 0 ? 1 : 0) {}

 private:
  void prepare(double lr) override {
    lr_ = lr;
    factors_.lr = static_cast<float>(lr);
    factors_.momentum = static_cast<float>(options_.momentum);
    factors_.l2 = static_cast<float>(options_.weight_decay);
    factors_.nesterov = options_.nesterov;
  }

  void update(const KernelTable& kernels, std::size_t n, const ScaledGradient& grad, float* weights, float* first,
              float*) const override {
    SgdParameters p = factors_;
    p.multiplier = grad.multiplier;
    p.limit = grad.limit;
    if (!grad.decays) p.l2 = 0;
    if (grad.rate != 1) p.lr = static_cast<float>(lr_ * grad.rate);
    kernels.sgd(n, grad.data, weights, first, p);
  }

  SgdParameters factors_ = {};
  double lr_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<Sgd>(options, tensors);
}

}  // namespace halfstep::internal
