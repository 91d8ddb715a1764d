#include "run/class_probabilities.hpp"

#include "base/dtype.hpp"

namespace halfstep::internal {

void class_probabilities(const KernelTable& kernels, LossKind loss, std::size_t outputs, const float* logits,
                         float* out) {
  if (loss == LossKind::cross_entropy) return kernels.softmax(outputs, logits, out);
  kernels.activate[index_of(Dtype::fp32)](Activation::sigmoid, outputs, logits, out);
}

}  // namespace halfstep::internal
