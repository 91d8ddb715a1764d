// rmse and r2 against the plain sums in long double.
#include "train/regression_error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.hpp"
#include "train/target_value.hpp"

namespace halfstep::internal {
namespace {

std::vector<double> values(std::size_t count, double mean, double spread, std::uint64_t seed) {
  const Rng rng(seed, 3);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(mean + spread * (rng.uniform(i) * 2 - 1));
  return out;
}

// Around `first` + `offset`: that sum itself would be rounded.
long double plain_rms(const std::vector<double>& v, long double first = 0, long double offset = 0) {
  long double squares = 0;
  for (const double x : v) squares += (x - first - offset) * (x - first - offset);
  return std::sqrt(squares / static_cast<long double>(v.size()));
}

long double plain_r2(const std::vector<double>& residuals, const std::vector<double>& truths) {
  const long double first = truths[0];
  long double mean = 0;
  for (const double t : truths) mean += (t - first) / static_cast<long double>(truths.size());
  const long double ratio = plain_rms(residuals) / plain_rms(truths, first, mean);
  return 1 - ratio * ratio;
}

double apart(double got, long double expected) {
  return static_cast<double>(std::abs((static_cast<long double>(got) - expected) / expected));
}

}  // namespace

TEST_CASE("rmse and r2: shifted, huge and tiny numbers, against long double") {
  struct Case {
    double mean, spread, error;
  };
  for (const Case& c : {Case{0, 1, 0.1},
                        {1e9, 1, 0.5},
                        {1e15, 4, 1},
                        {-1e15, 4, 40},
                        {0, 1e300, 1e299},
                        {0, 1e-290, 1e-291},
                        {3, 1, 1e-12}}) {
    CAPTURE(c.mean);
    CAPTURE(c.spread);
    const std::vector<double> truths = values(997, c.mean, c.spread, 1);
    const std::vector<double> residuals = values(997, 0, c.error, 2);
    const double rms = root_mean_square(residuals);
    CHECK(apart(rms, plain_rms(residuals)) < 1e-13);
    const double expected = static_cast<double>(plain_r2(residuals, truths));
    CHECK(std::abs(r_squared(rms, truths) - expected) <= 1e-12 * std::max(1.0, std::abs(expected)));
  }
}

TEST_CASE("r2 of truths that are all the same is not defined, and NaN is not hidden") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(r_squared(0, std::vector<double>{0.1, 0.1, 0.1})));
  CHECK(std::isnan(r_squared(1, std::vector<double>{5})));
  CHECK(r_squared(0, std::vector<double>{1, 2}) == 1);
  CHECK(root_mean_square(std::vector<double>{0, 0}) == 0);
  for (const double bad : {nan, std::numeric_limits<double>::infinity()}) {
    CHECK_FALSE(std::isfinite(root_mean_square(std::vector<double>{1, bad, 0})));
    CHECK_FALSE(std::isfinite(root_mean_square(std::vector<double>{0, bad})));
    CHECK_FALSE(std::isfinite(root_mean_square(std::vector<double>{bad})));
  }
}

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
