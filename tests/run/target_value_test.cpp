// Outputs as numbers in the target's own units.
#include "run/target_value.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/rng.hpp"

namespace halfstep::internal {

TEST_CASE("target values: exact to a billionth of the scale, and no more digits") {
  const Rng rng(5, 9);
  for (const double scale : {1e-290, 3e-7, 0.99, 1.0, 28.0, 9.99e5, 1e300}) {
    for (const double mean : {0.0, 1.7e9, -250000.0, 1e-3}) {
      for (std::size_t i = 0; i < 50; ++i) {
        const float output = static_cast<float>(rng.uniform(i) * 6 - 3);
        const long double exact = static_cast<long double>(output) * scale + static_cast<long double>(mean);
        const double got = target_value(output, mean, scale);
        const long double last_digit = std::abs(exact) * 2.3e-16L;  // a double holds no more
        CHECK(std::abs(got - exact) <= static_cast<long double>(scale) / (1 << 30) + last_digit);
      }
    }
  }
  CHECK(target_value(0.1f, 0, 1) == 0.100000001);
  CHECK(target_value(0.5f, 250000, 1000) == 250500);
  CHECK(target_value(1e-20f, 0, 1) == 1e-20);  // one digit at least
  CHECK(target_value(-0.0f, 0, 1) == 0);
  CHECK_FALSE(std::signbit(target_value(-0.0f, 0, 1)));
}

TEST_CASE("target values at the end of the range") {
  constexpr double kLargest = std::numeric_limits<double>::max();
  CHECK(target_value(2, -1e308, 1.2e308) == doctest::Approx(1.4e308).epsilon(1e-9));  // by way of 2.4e308
  CHECK(target_value(4, 0, 1.2e308) == kLargest);
  CHECK(target_value(-4, -1e308, 1.2e308) == -kLargest);
  CHECK(std::isnan(target_value(std::nanf(""), 1, 1)));
  CHECK(std::isinf(target_value(std::numeric_limits<float>::infinity(), 1, 1)));
}

}  // namespace halfstep::internal
