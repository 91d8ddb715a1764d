#include <cmath>

#include "loss/loss.hpp"

namespace halfstep::internal {
namespace {

// Quadratic below delta, linear beyond (Huber, 1964): e^2 / 2, or delta (|e| - delta / 2). Mean over the outputs.
class Huber final : public Loss {
 public:
  explicit Huber(double delta) : delta_(delta) {}

  double row(const KernelTable&, const float* logits, std::size_t columns, std::size_t index, const Targets& targets,
             float scale, float* d) const override {
    const float factor = scale / static_cast<float>(columns);
    const auto limit = static_cast<float>(delta_);
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const float e = logits[i] - targets.values[index * columns + i];
      const double size = std::fabs(static_cast<double>(e));
      sum += size > delta_ ? delta_ * (size - 0.5 * delta_) : 0.5 * size * size;
      const float bounded = e > limit ? limit : e < -limit ? -limit : e;  // NaN compares false and stays
      d[i] = bounded * factor;
    }
    clear_padding(d, columns);
    return sum / static_cast<double>(columns);
  }

 private:
  double delta_;
};

}  // namespace

std::unique_ptr<Loss> make_huber(double delta) { return std::make_unique<Huber>(delta); }

}  // namespace halfstep::internal
