#include "run/target_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace halfstep::internal {
namespace {

constexpr int kBeyondScale = 9;  // decimal places that are kept below the first digit of the scale
constexpr int kAllDigits = 17;   // of a double

// Of the first digit: 3 for 1234. The text knows it exactly, a logarithm does not.
int decimal_exponent(double value) {
  char text[40];
  const char* const end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  const char* e = std::find(static_cast<const char*>(text), end, 'e') + 1;
  if (*e == '+') ++e;
  int exponent = 0;
  std::from_chars(e, end, exponent);
  return exponent;
}

}  // namespace

double target_value(float output, double mean, double scale) {
  if (!std::isfinite(output)) return output;
  constexpr double kLargest = std::numeric_limits<double>::max();
  const double z = output;
  double value = z * scale + mean;
  // The product alone may leave the range that the sum comes back to.
  if (!std::isfinite(value)) value = std::clamp(z * (scale / 8) + mean / 8, -kLargest / 8, kLargest / 8) * 8;
  if (value == 0) return 0;  // no "-0"
  const int digits = std::max(decimal_exponent(value) - decimal_exponent(scale) + kBeyondScale + 1, 1);
  if (digits >= kAllDigits) return value;
  char text[40];
  const auto written = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific, digits - 1);
  double rounded = 0;
  const bool in_range = std::from_chars(text, written.ptr, rounded).ec == std::errc();
  return in_range ? rounded : value;
}

}  // namespace halfstep::internal
