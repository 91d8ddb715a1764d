// Errors of a regression, from differences in standardised units: digits and range of the targets' own units play no
// part.
#pragma once
#include <span>

namespace halfstep::internal {

// The squares of the values may leave the range of a double. NaN when a value is not finite.
double root_mean_square(std::span<const double> values);

// 1 - (rms of the residuals / standard deviation of the truths)^2. NaN where all truths are the same: there is nothing
// to explain.
double r_squared(double rms, std::span<const double> truths);

}  // namespace halfstep::internal
