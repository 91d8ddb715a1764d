#include "metrics/regression_error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace halfstep::internal {
namespace {

double largest_distance(std::span<const double> values, double from) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value - from));
  return largest;
}

// In units of the largest distance from the first value: the differences are exact where the values are nearly the
// same.
double standard_deviation(std::span<const double> values, double unit) {
  const double first = values.front(), n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += (value - first) / unit;
  for (const double value : values) {
    const double d = (value - first) / unit - sum / n;
    squares += d * d;
  }
  return std::sqrt(squares / n) * unit;
}

}  // namespace

double root_mean_square(std::span<const double> values) {
  const double largest = largest_distance(values, 0);
  const double unit = largest == 0 ? 1 : largest;  // a NaN is never the largest, but stays one in the sum
  double squares = 0;
  for (const double value : values) squares += value / unit * (value / unit);
  return std::sqrt(squares / static_cast<double>(values.size())) * unit;
}

double mean_magnitude(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value) / static_cast<double>(values.size());
  return sum;
}

double median_magnitude(std::span<const double> values) {
  std::vector<double> sizes;
  for (const double value : values) {
    if (std::isnan(value)) return value;
    sizes.push_back(std::abs(value));
  }
  if (sizes.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  if (sizes.size() % 2 == 1) return *middle;
  const double below = *std::max_element(sizes.begin(), middle);
  return below + (*middle - below) / 2;
}

double r_squared(double rms, std::span<const double> truths) {
  const double unit = truths.empty() ? 0 : largest_distance(truths, truths.front());
  if (unit == 0) return std::numeric_limits<double>::quiet_NaN();
  const double ratio = rms / standard_deviation(truths, unit);
  return 1 - ratio * ratio;
}

}  // namespace halfstep::internal
