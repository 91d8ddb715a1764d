// Where values stand on an axis, and which of them are written beside it.
#pragma once
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace halfstep::internal::report {

enum class Scale { linear, log10, log2 };

// The finite values seen; those that a logarithm has, where it is to be one.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value, Scale scale = Scale::linear);
  bool empty() const { return !(low <= high); }
};

struct Tick {
  double value;
  std::string label;
};

class Axis {
 public:
  // Holds all of `extent` between round numbers, with about `ticks` of them named; nothing is named where it is empty.
  // A single value gets room on both sides. `exact` begins and ends where the values do.
  Axis(Scale scale, const Extent& extent, std::size_t ticks, bool exact = false);

  // From 0 to 1; NaN where the value has no place: not finite, or no logarithm.
  double place(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  void set_linear(Extent extent, std::size_t ticks, bool exact);
  void set_logarithmic(const Extent& extent, std::size_t ticks, bool exact);

  Scale scale_;
  double low_ = 0, high_ = 1;  // of logarithms, where it is one
  std::vector<Tick> ticks_;
};

// "2²⁴", "10⁻³"
std::string power_text(int base, int exponent);

}  // namespace halfstep::internal::report
