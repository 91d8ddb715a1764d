// One file per optimizer; this is the list that make_optimizer chooses from.
#pragma once
#include "optim/optimizer.hpp"

namespace halfstep {

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const std::vector<std::size_t>& sizes);
// Adam (L2 added to the gradient) or AdamW (decoupled decay), as options.kind says.
std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const std::vector<std::size_t>& sizes);

}  // namespace halfstep
