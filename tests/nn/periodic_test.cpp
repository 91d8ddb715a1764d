// Periodic functions against the C library's, at numbers of all sizes.
#include "nn/periodic.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace halfstep::internal {
namespace {

TEST_CASE("periodic: cosines of any number of turns, and their slopes") {
  // One function of x itself, whose vector is 1.
  const PeriodicShape shape = {1, 1};
  const double turn = 2 * std::acos(-1.0);
  for (const float frequency : {1.0f, -0.3f, 17.0f}) {
    for (const float phase : {0.0f, 0.25f, -0.5f}) {
      const std::vector<float> parameters = {1, frequency, phase};
      for (int i = -4000; i <= 4000; ++i) {
        const float x = static_cast<float>(i) / 1024;
        const double turns = static_cast<double>(frequency * x + phase);
        float e = 0;
        add_periodic(shape, parameters.data(), x, &e);
        const float g = 2;
        std::vector<float> gradient = {5, 5, 5};
        add_periodic_gradient(shape, parameters.data(), x, &g, gradient.data());
        const double cosine = std::cos(turn * turns), slope = -turn * std::sin(turn * turns);
        REQUIRE(std::fabs(static_cast<double>(e) - cosine) < 1e-6);
        REQUIRE(std::fabs(static_cast<double>(gradient[0]) - 5 - 2 * cosine) < 3e-6);
        REQUIRE(std::fabs(static_cast<double>(gradient[1]) - 5 - 2 * slope * static_cast<double>(x)) < 5e-5);
        REQUIRE(std::fabs(static_cast<double>(gradient[2]) - 5 - 2 * slope) < 2e-5);
      }
    }
  }
}

TEST_CASE("periodic: what is far away or no number stays one or the other, and is no index") {
  const PeriodicShape shape = {2, 3};
  std::vector<float> parameters(shape.size());
  initialise_periodic(shape, Rng(1, 2), 0, parameters.data());
  for (const float x : {1e7f, -3e9f, 1e30f, -3.4e38f}) {
    std::vector<float> e(3, 0.0f), gradient(shape.size(), 0.0f);
    add_periodic(shape, parameters.data(), x, e.data());
    for (const float v : e) CHECK(std::fabs(v) <= 2);  // as far as vectors reach
    add_periodic_gradient(shape, parameters.data(), x, e.data(), gradient.data());
  }
}

TEST_CASE("periodic: the first frequencies are 0.3 of a turn, in the mean of squares, and vectors are bounded") {
  const PeriodicShape shape = {64, 4};
  double squares = 0;
  constexpr int kTimes = 50;
  for (std::uint64_t seed = 0; seed < kTimes; ++seed) {
    std::vector<float> parameters(shape.size());
    initialise_periodic(shape, Rng(seed, 7), 100, parameters.data());
    for (std::size_t i = 0; i < 256; ++i) CHECK(std::fabs(parameters[i]) <= 0.125f);
    for (std::size_t i = 256; i < 320; ++i) squares += static_cast<double>(parameters[i] * parameters[i]);
    for (std::size_t i = 320; i < 384; ++i) CHECK(std::fabs(parameters[i]) <= 0.5f);
  }
  CHECK(std::sqrt(squares / (64 * kTimes)) == doctest::Approx(0.3).epsilon(0.03));
}

}  // namespace
}  // namespace halfstep::internal
