// Errors of a regression, from differences in standardised units: digits and range of the targets' own units play no
// part.
#pragma once
#include <span>

namespace halfstep::internal {

// The squares of the values may leave the range of a double. NaN when a value is not finite.
double root_mean_square(std::span<const double> values);

// Of the magnitudes of the values; of an even number the mean of the middle two. NaN when a value is.
double mean_magnitude(std::span<const double> values);
double median_magnitude(std::span<const double> values);

// 1 - (rms of the residuals / standard deviation of the truths)^2. NaN where all truths are the same: there is nothing
// to explain.
double r_squared(double rms, std::span<const double> truths);

}  // namespace halfstep::internal
