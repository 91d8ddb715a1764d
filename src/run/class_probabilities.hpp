// From the outputs of a classifier to probabilities.
#pragma once
#include <cstddef>

#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// `logits` and `out` have `outputs` numbers, padded to 16; in fp32. Softmax for cross_entropy, else the logistic
// function of each.
void class_probabilities(const KernelTable& kernels, LossKind loss, std::size_t outputs, const float* logits,
                         float* out);

}  // namespace halfstep::internal
