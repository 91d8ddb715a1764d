#include "amp/grad_scaler.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string_view>
#include <vector>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

GradScalerOptions quick_growth() {
  GradScalerOptions options;
  options.growth_interval = 3;
  return options;
}

// The scale after each event: o is a finite step, x an overflow.
std::vector<float> scales(GradScaler& scaler, std::string_view events) {
  std::vector<float> out;
  for (char event : events) {
    scaler.update(event == 'o');
    out.push_back(scaler.scale());
  }
  return out;
}

TEST_CASE("scaler: golden sequences") {
  GradScaler grown(quick_growth());
  CHECK(scales(grown, "ooo") == std::vector<float>{65536, 65536, 131072});
  CHECK(grown.growth_tracker() == 0);
  GradScaler shrunk(quick_growth());
  CHECK(scales(shrunk, "ooxo") == std::vector<float>{65536, 65536, 32768, 32768});
  CHECK(shrunk.growth_tracker() == 1);
  GradScaler again(quick_growth());
  CHECK(scales(again, "xxoooooox") ==
        std::vector<float>{32768, 16384, 16384, 16384, 32768, 32768, 32768, 65536, 32768});
}

TEST_CASE("scaler: grows exactly at the interval, not before and not after an interruption") {
  GradScalerOptions options;
  options.growth_interval = 2000;
  GradScaler scaler(options);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 65536);
  CHECK(scaler.growth_tracker() == 1999);
  scaler.update(true);
  CHECK(scaler.scale() == 131072);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  scaler.update(false);
  CHECK(scaler.scale() == 65536);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  CHECK(scaler.scale() == 65536);
}

TEST_CASE("scaler: floor and ceiling hold for ever") {
  GradScalerOptions options = quick_growth();
  options.initial = 4;
  GradScaler falling(options);
  CHECK_FALSE(falling.at_minimum());
  CHECK(scales(falling, "xxxxx") == std::vector<float>{2, 1, 1, 1, 1});
  CHECK(falling.at_minimum());
  options.initial = 8388608;
  GradScaler rising(options);
  for (int i = 0; i < 30; ++i) rising.update(true);
  CHECK(rising.scale() == 16777216);
  rising.update(false);
  CHECK(rising.scale() == 8388608);
}

TEST_CASE("scaler: a static scale never moves") {
  GradScalerOptions options;
  options.dynamic = false;
  options.initial = 128;
  GradScaler scaler(options);
  CHECK(scales(scaler, "oxxo") == std::vector<float>{128, 128, 128, 128});
  CHECK(scaler.at_minimum());
  CHECK_FALSE(scaler.dynamic());
}

TEST_CASE("scaler: the reciprocal of a power of two is exact") {
  for (int e = -20; e <= 24; ++e) {
    GradScalerOptions options;
    options.initial = std::ldexp(1.0f, e);
    CHECK(GradScaler(options).inv_scale() == std::ldexp(1.0f, -e));
  }
}

// Events x o after each other at interval 4, as DeepSpeed's and Megatron's code treats them: the first overflow uses up
// a credit, every later one shrinks, growth gives the credits back, and so does a good step where they count in a row.
TEST_CASE("scaler: hysteresis") {
  GradScalerOptions options;
  options.growth_interval = 4;
  options.hysteresis = 2;
  GradScaler plain(options);
  CHECK(scales(plain, "xxoxooooxx") ==
        std::vector<float>{65536, 32768, 32768, 16384, 16384, 16384, 16384, 32768, 32768, 16384});
  options.consecutive_hysteresis = true;
  GradScaler in_a_row(options);
  CHECK(scales(in_a_row, "xxoxoxxoooo") ==
        std::vector<float>{65536, 32768, 32768, 32768, 32768, 32768, 16384, 16384, 16384, 16384, 32768});
  options.consecutive_hysteresis = false;
  options.hysteresis = 3;
  GradScaler third(options);
  CHECK(scales(third, "xxxx") == std::vector<float>{65536, 65536, 32768, 16384});
}

TEST_CASE("scaler: an overflow that only used up a credit still interrupts the good steps") {
  GradScalerOptions options = quick_growth();
  options.hysteresis = 2;
  GradScaler scaler(options);
  CHECK(scales(scaler, "ooxooo") == std::vector<float>{65536, 65536, 65536, 65536, 65536, 131072});
}

TEST_CASE("scaler: what no smaller scale can help leaves scale, tracker and credits alone") {
  GradScalerOptions options = quick_growth();
  options.hysteresis = 2;
  GradScaler scaler(options);
  scaler.update(true);
  for (int i = 0; i < 100; ++i) scaler.update(false, false);
  CHECK(scaler.scale() == 65536);
  CHECK(scaler.growth_tracker() == 1);
  CHECK(scaler.state().credits == 2);
  GradScaler compatible(compatible_scaler());
  compatible.update(false, false);
  CHECK(compatible.scale() == 32768);
}

}  // namespace
