#include "amp/gradient_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep {

double clip_coefficient(double max_norm, double norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
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
  // "Go on only if finite": written so that NaN cannot pass. No element is larger than the norm; multiplying by less
  // than 1 cannot overflow.
  const double most = inv_scale > 1 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  summary.finite = summary.first_bad < 0 && norm <= most;
  summary.norm = norm;
  summary.limit = clip.value > 0 ? static_cast<float>(clip.value) * scale : std::numeric_limits<float>::infinity();
  summary.multiplier = inv_scale;
  if (!summary.finite) return summary;
  summary.multiplier = static_cast<float>(static_cast<double>(inv_scale) * clip_coefficient(clip.norm, norm));
  return summary;
}

}  // namespace halfstep
