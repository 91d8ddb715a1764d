#include "optim/adam.hpp"

namespace halfstep::internal {
namespace {

class Adam final : public AdamFamily {
 public:
  Adam(const OptimizerOptions& options, const OptimizerTensors& tensors) : AdamFamily(options, tensors) {}

 private:
  void prepare(double lr) override { prepare_adam(lr, options_.kind == OptimizerKind::adamw); }
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return std::make_unique<Adam>(options, tensors);
}

}  // namespace halfstep::internal
