// rmse and r2 against the plain sums in long double.
#include "metrics/regression_error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.hpp"

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

}  // namespace halfstep::internal
