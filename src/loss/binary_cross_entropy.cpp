#include <cmath>

#include "base/dtype.hpp"
#include "loss/loss.hpp"

namespace halfstep::internal {
namespace {

// max(z, 0) - z y + log(1 + exp(-|z|)), gradient sigmoid(z) - y, mean over the outputs. One output: the label is y;
// several: one against the rest.
class BinaryCrossEntropy final : public Loss {
 public:
  double row(const KernelTable& kernels, const float* logits, std::size_t columns, std::size_t index,
             const Targets& targets, float scale, float* d) const override {
    const std::int32_t label = targets.labels[index];
    kernels.activate[index_of(Dtype::fp32)](Activation::sigmoid, columns, logits, d);
    const float factor = scale / static_cast<float>(columns);
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const bool y = columns == 1 ? label != 0 : static_cast<std::size_t>(label) == i;
      const double z = logits[i];
      // 0 z rather than 0: a NaN logit stays NaN.
      sum += (z > 0 ? z : 0 * z) - (y ? z : 0.0) + std::log1p(std::exp(-std::fabs(z)));
      d[i] = (d[i] - (y ? 1.0f : 0.0f)) * factor;
    }
    clear_padding(d, columns);
    return sum / static_cast<double>(columns);
  }
};

}  // namespace

std::unique_ptr<Loss> make_binary_cross_entropy() { return std::make_unique<BinaryCrossEntropy>(); }

}  // namespace halfstep::internal
