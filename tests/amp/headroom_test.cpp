#include "amp/headroom.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

GradScaler scaler_at(float scale) {
  GradScalerOptions options;
  options.initial = scale;
  return GradScaler(options);
}

TEST_CASE("headroom: the first batch sets the scale in one move, upwards too") {
  for (float largest : {1e-3f, 0.5f, 1.0f, 3.0f, 16384.0f, 65504.0f}) {
    CAPTURE(largest);
    GradScaler scaler = scaler_at(1024);
    Headroom headroom;
    headroom.fit(scaler, largest);
    const float then = largest / 1024 * scaler.scale();  // what the same batch would show now
    const bool at_ceiling = scaler.scale() == 0x1p24f;
    CHECK(then <= 16384);
    CHECK((then > 8192 || at_ceiling));
    int exponent = 0;
    CHECK(std::frexp(scaler.scale(), &exponent) == 0.5f);
  }
}

TEST_CASE("headroom: falls at once, rises only to what every batch of the window allowed") {
  GradScaler scaler = scaler_at(1024);
  Headroom headroom;
  headroom.fit(scaler, 16000);
  CHECK(scaler.scale() == 1024);
  headroom.fit(scaler, 60000);
  CHECK(scaler.scale() == 256);
  for (int i = 0; i < 31; ++i) {
    headroom.fit(scaler, i == 5 ? 4000.0f : 100.0f);
    CHECK(scaler.scale() == 256);
  }
  headroom.fit(scaler, 100);
  CHECK(scaler.scale() == 1024);
}

TEST_CASE("headroom: retreats in growing strides, down to the floor, and recovers after one good batch") {
  GradScaler scaler = scaler_at(0x1p24f);
  Headroom headroom;
  CHECK(headroom.retreat(scaler));
  CHECK(scaler.scale() == 0x1p22f);
  CHECK(headroom.retreat(scaler));
  CHECK(scaler.scale() == 0x1p18f);
  CHECK(headroom.retreat(scaler));
  CHECK(scaler.scale() == 0x1p10f);
  CHECK(headroom.retreat(scaler));
  CHECK(scaler.scale() == 1);
  CHECK_FALSE(headroom.retreat(scaler));
  headroom.fit(scaler, 1);
  CHECK(scaler.scale() == 16384);
  CHECK(headroom.retreat(scaler));
  CHECK(scaler.scale() == 4096);
}

TEST_CASE("headroom: a batch without gradients says nothing, and neither does one that is not finite") {
  GradScaler scaler = scaler_at(1024);
  Headroom headroom;
  headroom.fit(scaler, 0);
  headroom.fit(scaler, std::numeric_limits<float>::quiet_NaN());
  CHECK(scaler.scale() == 1024);
}

}  // namespace
