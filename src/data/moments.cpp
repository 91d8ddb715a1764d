#include "data/moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::internal::data {
namespace {

// In units of the range from the smallest value: differences are exact where sums of the values would lose them.
void measure_from(double low, double range, const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows,
                  Moments& m) {
  const auto offset = [&](std::uint32_t row) { return (numbers[row] - low) / range; };
  double sum = 0;
  for (const std::uint32_t row : rows) sum += numbers[row] == numbers[row] ? offset(row) : 0;
  const double mean = sum / static_cast<double>(m.count);
  double squares = 0;
  for (const std::uint32_t row : rows) {
    const double d = numbers[row] == numbers[row] ? offset(row) - mean : 0;
    squares += d * d;
  }
  m.mean = low + mean * range;
  m.scale = std::sqrt(squares / static_cast<double>(m.count)) * range;
}

}  // namespace

Moments moments(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows) {
  constexpr double kTiny = 1e-300;  // smaller deviations cannot be divided by
  constexpr double kFar = 1e6;      // deviations from zero, as time stamps and large sums of money have them
  Moments m;
  double largest = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const std::uint32_t row : rows) {
    const double x = numbers[row];
    if (x != x) continue;
    ++m.count;
    largest = std::max(largest, std::abs(x));
    low = std::min(low, x);
    high = std::max(high, x);
  }
  if (m.count == 0 || low == high) {
    m.mean = m.count == 0 ? 0 : low;
    return m;
  }
  // In units of the largest value, so that no square overflows.
  double sum = 0;
  for (const std::uint32_t row : rows) sum += numbers[row] == numbers[row] ? numbers[row] / largest : 0;
  const double mean = sum / static_cast<double>(m.count);
  double squares = 0;
  for (const std::uint32_t row : rows) {
    const double d = numbers[row] == numbers[row] ? numbers[row] / largest - mean : 0;
    squares += d * d;
  }
  m.mean = mean * largest;
  m.scale = std::sqrt(squares / static_cast<double>(m.count)) * largest;
  if (std::abs(m.mean) > kFar * m.scale && high - low < largest) measure_from(low, high - low, numbers, rows, m);
  if (m.scale < kTiny) m.scale = 0;
  return m;
}

}  // namespace halfstep::internal::data
