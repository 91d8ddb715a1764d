// Mean and deviation of a column, against the same sums in long double.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/rng.hpp"
#include "data/moments.hpp"

namespace halfstep::internal::data {
namespace {

std::vector<std::uint32_t> all_rows(std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

// `count` values around `mean` of about the deviation `spread`.
std::vector<double> column(std::size_t count, double mean, double spread) {
  const Rng rng(7, 1);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(mean + spread * (rng.uniform(i) * 2 - 1) * std::sqrt(3.0));
  return numbers;
}

struct Exact {
  long double mean = 0, scale = 0;
};

Exact exact_moments(const std::vector<double>& numbers) {
  const auto n = static_cast<long double>(numbers.size());
  Exact e;
  for (const double x : numbers) e.mean += (static_cast<long double>(x) - static_cast<long double>(numbers[0])) / n;
  long double squares = 0;
  for (const double x : numbers) {
    const long double d = static_cast<long double>(x) - static_cast<long double>(numbers[0]) - e.mean;
    squares += d / n * d;
  }
  e.scale = std::sqrt(squares);
  e.mean += static_cast<long double>(numbers[0]);
  return e;
}

}  // namespace

TEST_CASE("moments: far from zero the deviation keeps its digits") {
  for (const double mean : {1e7, -1e9, 1e12, 1e15, -1e15, 1e300, 1e-280}) {
    for (const double share : {1e-6, 1e-9, 1e-12, 1e-14}) {
      CAPTURE(mean);
      CAPTURE(share);
      const std::vector<double> numbers = column(1000, mean, std::abs(mean) * share);
      const Moments m = moments(numbers, all_rows(numbers.size()));
      const Exact e = exact_moments(numbers);
      CHECK(m.count == numbers.size());
      CHECK(static_cast<double>(std::abs(m.scale - e.scale) / e.scale) < 1e-9);
      CHECK(static_cast<double>(std::abs(m.mean - e.mean)) <= std::abs(mean) * 2.3e-16);
    }
  }
}

TEST_CASE("moments: ordinary columns keep the bits that models were trained with") {
  for (const double mean : {0.0, 1.0, -3e5, 9e5}) {
    CAPTURE(mean);
    const std::vector<double> numbers = column(501, mean, 1);
    double largest = 0, sum = 0, squares = 0;
    for (const double x : numbers) largest = std::max(largest, std::abs(x));
    for (const double x : numbers) sum += x / largest;
    const double centre = sum / 501;
    for (const double x : numbers) squares += (x / largest - centre) * (x / largest - centre);
    const Moments m = moments(numbers, all_rows(numbers.size()));
    CHECK(m.mean == centre * largest);
    CHECK(m.scale == std::sqrt(squares / 501) * largest);
  }
}

TEST_CASE("moments: missing values, constants and extremes") {
  const double nan = std::nan("");
  const Moments m = moments({1e15, nan, 1e15 + 2, nan}, all_rows(4));
  CHECK(m.count == 2);
  CHECK(m.mean == 1e15 + 1);
  CHECK(m.scale == 1);
  CHECK(moments({nan, nan}, all_rows(2)).count == 0);
  CHECK(moments({1e15, 1e15, nan}, all_rows(3)).scale == 0);
  const Moments wide = moments({-1.7e308, 1.7e308}, all_rows(2));
  CHECK(wide.mean == 0);
  CHECK(wide.scale == 1.7e308);
}

}  // namespace halfstep::internal::data
