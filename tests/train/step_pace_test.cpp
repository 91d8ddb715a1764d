#include "train/step_pace.hpp"

#include <doctest/doctest.h>

using namespace halfstep;

namespace {

// Steps until the pace is known, the first of each turn ten times as long; their number.
int settle(StepPace& pace, double together, double alone) {
  int steps = 0;
  for (bool before = !pace.alone(); pace.measuring() && steps < 1000; ++steps) {
    const bool first = pace.alone() != before;
    before = pace.alone();
    pace.took((pace.alone() ? alone : together) * (first ? 10 : 1));
  }
  return steps;
}

TEST_CASE("step pace: the faster way is kept") {
  StepPace small(2), large(2);
  CHECK_FALSE(small.alone());  // all threads come first
  CHECK(settle(small, 30e-6, 20e-6) < 100);
  CHECK(small.alone());
  CHECK(settle(large, 20e-6, 30e-6) < 100);
  CHECK_FALSE(large.alone());
  large.took(1);  // known is known
  CHECK_FALSE(large.alone());
}

TEST_CASE("step pace: long steps are not run alone to measure them, one thread measures nothing") {
  StepPace pace(8);
  CHECK(settle(pace, 2e-3, 1) < 10);
  CHECK_FALSE(pace.alone());
  CHECK_FALSE(StepPace(1).measuring());
}

}  // namespace
