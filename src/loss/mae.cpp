#include <cmath>

#include "loss/loss.hpp"

namespace halfstep::internal {
namespace {

// |prediction - value|, of which the median is the best guess; the gradient is the sign of the difference, 0 at 0. Mean
// over the outputs.
class Mae final : public Loss {
 public:
  double row(const KernelTable&, const float* logits, std::size_t columns, std::size_t index, const Targets& targets,
             float scale, float* d) const override {
    const float factor = scale / static_cast<float>(columns);
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const float e = logits[i] - targets.values[index * columns + i];
      sum += std::fabs(static_cast<double>(e));
      d[i] = e > 0 ? factor : e < 0 ? -factor : e;  // NaN compares false and stays
    }
    clear_padding(d, columns);
    return sum / static_cast<double>(columns);
  }
};

}  // namespace

std::unique_ptr<Loss> make_mae() { return std::make_unique<Mae>(); }

}  // namespace halfstep::internal
