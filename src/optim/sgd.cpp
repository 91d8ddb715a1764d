#include "optim/optimizers.hpp"

namespace halfstep {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const std::vector<std::size_t>& sizes)
      : Optimizer(sizes.size()), options_(options) {
    for (std::size_t i = 0; i < sizes.size() && options.momentum != 0; ++i) first_[i] = AlignedBuffer<float>(sizes[i]);
  }

  void begin_step(double lr, float multiplier, float limit) override {
    factors_ = {.multiplier = multiplier,
                .limit = limit,
                .lr = static_cast<float>(lr),
                .momentum = static_cast<float>(options_.momentum),
                .l2 = static_cast<float>(options_.weight_decay),
                .nesterov = options_.nesterov};
    ++steps_;
  }

  void apply(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n, const float* grad,
             float* master) override {
    float* momentum = first_[tensor].size() ? first_[tensor].data() + offset : nullptr;
    kernels.sgd(n, grad, master, momentum, factors_);
  }

 private:
  OptimizerOptions options_;
  SgdParameters factors_ = {};
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const std::vector<std::size_t>& sizes) {
  return std::make_unique<Sgd>(options, sizes);
}

}  // namespace halfstep
