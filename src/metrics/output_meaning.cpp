#include "metrics/output_meaning.hpp"

#include <algorithm>
#include <cmath>

namespace halfstep::internal {

std::size_t predicted_class(const float* logits, std::size_t columns, bool single_logit) {
  if (single_logit) return logits[0] > 0 ? 1 : 0;
  std::size_t best = 0;
  for (std::size_t i = 1; i < columns; ++i) {
    if (logits[i] > logits[best] || logits[best] != logits[best]) best = i;
  }
  return best;
}

bool is_finite_output(const float* logits, std::size_t columns) {
  return std::all_of(logits, logits + columns, [](float logit) { return std::isfinite(logit); });
}

}  // namespace halfstep::internal
