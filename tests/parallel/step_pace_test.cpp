#include "parallel/step_pace.hpp"

#include <doctest/doctest.h>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

// Steps until one is not measured, the first of each turn ten times as long; their number.
int settle(StepPace& pace, double together, double alone) {
  int steps = 0;
  for (bool before = true; pace.measures_next() && steps < 1000; ++steps) {
    const bool first = pace.alone() != before;
    before = pace.alone();
    pace.took((pace.alone() ? alone : together) * (first ? 10 : 1));
  }
  return steps;
}

// Steps until one is measured, that one not included.
int rest(StepPace& pace) {
  int steps = 1;  // settle has asked for one
  while (!pace.measures_next() && steps < 1000000) ++steps;
  return steps;
}

TEST_CASE("step pace: the faster way is kept") {
  StepPace small(2), large(2);
  REQUIRE(small.measures_next());
  CHECK_FALSE(small.alone());  // all threads come first
  CHECK(settle(small, 30e-6, 20e-6) < 100);
  CHECK(small.alone());
  CHECK(settle(large, 20e-6, 30e-6) < 100);
  CHECK_FALSE(large.alone());
}

TEST_CASE("step pace: what was measured beside other work is put right") {
  StepPace pace(2);
  settle(pace, 30e-6, 20e-6);
  CHECK(pace.alone());
  CHECK(rest(pace) < 1000);
  CHECK_FALSE(pace.alone());
  settle(pace, 15e-6, 20e-6);
  CHECK_FALSE(pace.alone());
  const int before = rest(pace);
  settle(pace, 15e-6, 20e-6);
  CHECK(rest(pace) == 2 * before);  // the same answer holds for longer
}

TEST_CASE("step pace: long steps are not run alone to measure them, one thread measures nothing") {
  StepPace pace(8);
  CHECK(settle(pace, 2e-3, 1) < 10);
  CHECK_FALSE(pace.alone());
  CHECK_FALSE(StepPace(1).measures_next());
}

}  // namespace
