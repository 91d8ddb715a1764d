#include "loss/loss.hpp"

namespace halfstep::internal {
namespace {

// (prediction - value)^2, gradient twice the difference, mean over the outputs.
class Mse final : public Loss {
 public:
  double row(const KernelTable&, const float* logits, std::size_t columns, std::size_t index, const Targets& targets,
             float scale, float* d) const override {
    const float factor = 2.0f * scale / static_cast<float>(columns);
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const float difference = logits[i] - targets.values[index * columns + i];
      sum += static_cast<double>(difference) * difference;
      d[i] = difference * factor;
    }
    clear_padding(d, columns);
    return sum / static_cast<double>(columns);
  }
};

}  // namespace

std::unique_ptr<Loss> make_mse() { return std::make_unique<Mse>(); }

}  // namespace halfstep::internal
