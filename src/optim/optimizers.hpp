// One file per optimizer; this is the list that make_optimizer chooses from.
#pragma once
#include "optim/optimizer.hpp"

namespace halfstep::internal {

using OptimizerTensors = std::vector<OptimizerTensor>;

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const OptimizerTensors& tensors);
// Adam (L2 added to the gradient) or AdamW (decoupled decay), as options.kind says.
std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const OptimizerTensors& tensors);
std::unique_ptr<Optimizer> make_lion(const OptimizerOptions& options, const OptimizerTensors& tensors);

}  // namespace halfstep::internal
