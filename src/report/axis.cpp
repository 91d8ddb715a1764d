#include "report/axis.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "halfstep/text.hpp"

namespace halfstep::internal::report {
namespace {

constexpr double kFarthest = 1e300;  // differences and sums of these are finite
constexpr double kNearest = 1e-290;  // a fraction of it is still a normal number
constexpr double kNoPlace = std::numeric_limits<double>::quiet_NaN();

double power_of_ten(int exponent) { return std::pow(10.0, exponent); }

// The least of 1, 2 and 5 times a power of ten that is not below `least`.
double round_step(double least) {
  const double unit = power_of_ten(static_cast<int>(std::floor(std::log10(least))));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * unit >= least * (1 - 1e-9)) return factor * unit;
  }
  return 10 * unit;
}

// As many digits as tell ticks apart that are `step` from one another.
std::string tick_label(double value, double step, double largest) {
  if (value == 0) return "0";
  const int first = static_cast<int>(std::floor(std::log10(largest)));
  const int last = static_cast<int>(std::floor(std::log10(step) + 1e-9));
  if (first >= 5 && first < 15) {  // thousands, millions, ...
    const int unit = (first - (first >= 6 ? 0 : 2)) / 3;
    return tick_label(value / power_of_ten(3 * unit), step / power_of_ten(3 * unit), largest / power_of_ten(3 * unit)) +
           "kMGT"[unit - 1];
  }
  if (first > 5 || last < -4) return short_number(value, std::clamp(first - last + 1, 1, 12));
  char text[48];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, std::max(-last, 0)).ptr;
  return {text, end};
}

std::string log_label(int base, int exponent, double factor) {
  if (base == 10 && exponent >= -3 && exponent <= 3) return short_number(factor * power_of_ten(exponent), 4);
  if (base == 2 && exponent >= -2 && exponent <= 13) return short_number(std::exp2(exponent), 5);
  return (factor == 1 ? "" : short_number(factor, 1) + "·") + power_text(base, exponent);
}

}  // namespace

std::string power_text(int base, int exponent) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = std::to_string(base);
  for (const char c : std::to_string(exponent)) text += c == '-' ? "⁻" : kDigits[c - '0'];
  return text;
}

void Extent::add(double value, Scale scale) {
  if (!std::isfinite(value) || (scale != Scale::linear && value <= 0)) return;
  value = std::clamp(value, -kFarthest, kFarthest);
  if (scale == Scale::linear && std::fabs(value) < kNearest) value = 0;
  low = std::min(low, value);
  high = std::max(high, value);
}

Axis::Axis(Scale scale, const Extent& extent, std::size_t ticks, bool exact) : scale_(scale) {
  if (extent.empty()) return;
  if (scale == Scale::linear) {
    set_linear(extent, std::max<std::size_t>(ticks, 2), exact);
  } else {
    set_logarithmic(extent, std::max<std::size_t>(ticks, 2), exact);
  }
}

void Axis::set_linear(Extent extent, std::size_t ticks, bool exact) {
  const double largest = std::max(std::fabs(extent.low), std::fabs(extent.high));
  if (extent.high - extent.low <= largest * 1e-9 || largest == 0) {
    const double room = largest == 0 ? 1 : std::max(largest * 0.1, 1e-300);
    extent = {extent.low - room, extent.high + room};
    exact = false;
  }
  const double step = round_step(std::max((extent.high - extent.low) / static_cast<double>(ticks), 1e-300));
  low_ = exact ? extent.low : std::floor(extent.low / step + 1e-9) * step;
  high_ = exact ? extent.high : std::ceil(extent.high / step - 1e-9) * step;
  const double far = std::max(std::fabs(low_), std::fabs(high_));
  const double first = std::ceil(low_ / step - 1e-9);
  for (int i = 0; i < 40; ++i) {
    const double value = (first + i) * step;
    if (value > high_ + step * 1e-6) break;
    ticks_.push_back({value, tick_label(value, step, far)});
  }
}

void Axis::set_logarithmic(const Extent& extent, std::size_t ticks, bool exact) {
  const int base = scale_ == Scale::log2 ? 2 : 10;
  const auto logarithm = [&](double v) { return base == 2 ? std::log2(v) : std::log10(v); };
  const double low = logarithm(extent.low), high = logarithm(extent.high);
  const bool fine = base == 10 && high - low < 1.5;
  low_ = std::floor(low + 1e-9);
  high_ = std::ceil(high - 1e-9);
  if (fine) {  // to the next of 1, 2 and 5
    for (const double part : {std::log10(2.0), std::log10(5.0)}) {
      if (std::floor(low) + part <= low + 1e-9) low_ = std::floor(low) + part;
    }
    for (const double part : {std::log10(5.0), std::log10(2.0)}) {
      if (std::floor(high) + part >= high - 1e-9 && std::floor(high) + part < high_) high_ = std::floor(high) + part;
    }
  }
  if (high_ - low_ < 1e-6) {
    low_ -= 1;
    high_ += 1;
  }
  const int stride = std::max(1, static_cast<int>(std::ceil((high_ - low_) / static_cast<double>(ticks))));
  for (int e = static_cast<int>(std::floor(low_)); e <= static_cast<int>(std::ceil(high_)); ++e) {
    if (((e % stride) + stride) % stride != 0) continue;
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor != 1 && !fine) break;
      const double at = e + std::log10(factor) * (base == 10 ? 1 : 0);
      if (at < low_ - 1e-9 || at > high_ + 1e-9) continue;
      ticks_.push_back({base == 2 ? std::exp2(e) : factor * power_of_ten(e), log_label(base, e, factor)});
    }
  }
  if (exact && high > low) {
    low_ = low;
    high_ = high;
  }
}

double Axis::place(double value) const {
  if (!std::isfinite(value)) return kNoPlace;
  if (scale_ != Scale::linear) {
    if (value <= 0) return kNoPlace;
    value = scale_ == Scale::log2 ? std::log2(value) : std::log10(value);
  }
  return std::clamp((value - low_) / (high_ - low_), 0.0, 1.0);
}

}  // namespace halfstep::internal::report
