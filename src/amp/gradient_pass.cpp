#include "amp/gradient_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::internal {

float clip_coefficient(double max_norm, double norm) {
  constexpr double kMost = 0x1p60, kLeast = 0x1p-60;
  if (!(max_norm > 0)) return 1;
  // PyTorch divides a Python number by a fp32 tensor: a reciprocal, then a product.
  if (norm < kMost && max_norm < kMost && max_norm > kLeast) {
    return std::min(1.0f, 1.0f / (static_cast<float>(norm) + 1e-6f) * static_cast<float>(max_norm));
  }
  return static_cast<float>(std::min(1.0, max_norm / (norm + 1e-6)));  // where fp32 would round to zero on the way
}

GradientDecision decide(bool finite, double norm, float inv_scale, double max_norm) {
  // "Go on only if finite": written so that NaN cannot pass. No element is larger than the norm; multiplying by less
  // than 1 cannot overflow.
  const double most = inv_scale > 1 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  GradientDecision decision{.multiplier = inv_scale};
  if (!finite || !(norm <= most)) return decision;
  const float coefficient = clip_coefficient(max_norm, norm);
  const float multiplier = inv_scale * coefficient;
  if (!(multiplier >= std::numeric_limits<float>::min())) return decision;
  return {true, coefficient, multiplier};
}

GradientSummary summarise_gradients(std::span<const GradientSquares> tensors, float scale, float inv_scale,
                                    const ClipOptions& clip) {
  GradientSummary summary;
  double total = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    double sum = 0;
    for (double block : tensors[i].blocks) sum += block;
    if (!std::isfinite(sum) && summary.first_bad < 0) summary.first_bad = static_cast<std::ptrdiff_t>(i);
    total += sum;
  }
  const double norm = std::sqrt(total) * static_cast<double>(inv_scale);
  const GradientDecision decision = decide(summary.first_bad < 0, norm, inv_scale, clip.norm);
  summary.finite = decision.apply;
  summary.norm = norm;
  summary.limit = clip.value > 0 ? static_cast<float>(clip.value) * scale : std::numeric_limits<float>::infinity();
  summary.multiplier = decision.multiplier;
  return summary;
}

}  // namespace halfstep::internal
