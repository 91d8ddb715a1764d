// log(1 + exp(x)): the loss of a logistic output.
#pragma once
#include <cmath>

namespace halfstep::internal {

// For any x without overflow.
inline double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

}  // namespace halfstep::internal
