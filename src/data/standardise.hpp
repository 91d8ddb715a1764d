// How one number becomes the input of a network.
#pragma once
#include <algorithm>
#include <limits>

namespace halfstep::internal::data {

constexpr double kMaxDeviations = 1e4;  // farther values are held there, within reach of fp16

inline float standardised(bool standardize, double value, double mean, double scale) {
  constexpr double kMaxFloat = std::numeric_limits<float>::max();
  if (!standardize) return static_cast<float>(std::clamp(value, -kMaxFloat, kMaxFloat));
  // Halves: the difference of two finite numbers may be infinite.
  const double x = scale == 0 ? 0 : (value * 0.5 - mean * 0.5) / (scale * 0.5);
  return static_cast<float>(std::clamp(x, -kMaxDeviations, kMaxDeviations));
}

}  // namespace halfstep::internal::data
