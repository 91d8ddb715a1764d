#include "amp/grad_scaler.hpp"

#include <algorithm>

namespace halfstep {

GradScaler::GradScaler(const GradScalerOptions& options) : options_(options), scale_(options.initial) {}

float GradScaler::inv_scale() const { return static_cast<float>(1.0 / static_cast<double>(scale_)); }

void GradScaler::update(bool finite) {
  if (!options_.dynamic) return;
  if (!finite) {
    scale_ = std::max(scale_ * options_.backoff_factor, options_.minimum);
    growth_tracker_ = 0;
    return;
  }
  if (++growth_tracker_ < options_.growth_interval) return;
  scale_ = std::min(scale_ * options_.growth_factor, options_.maximum);
  growth_tracker_ = 0;
}

}  // namespace halfstep
