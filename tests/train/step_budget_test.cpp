#include "train/step_budget.hpp"

#include <doctest/doctest.h>

using namespace halfstep::internal;
using namespace std::chrono_literals;

namespace {

// Steps of a call whose steps take `step` each.
int steps_of_call(StepBudget& budget, StepBudget::Duration time, StepBudget::Duration step) {
  StepBudget::Duration spent{};
  int steps = 0;
  for (; budget.has_room(spent, time); ++steps) {
    spent += step;
    budget.timed(step);
  }
  budget.finish(spent, time);
  return steps;
}

}  // namespace

TEST_CASE("step budget: a first step is made untimed, then only what fits") {
  StepBudget budget;
  CHECK(steps_of_call(budget, 10ms, 3ms) == 3);
  for (int call = 0; call < 5; ++call) CHECK(steps_of_call(budget, 10ms, 3ms) == 3);
  CHECK(steps_of_call(budget, 9ms, 3ms) == 3);
  CHECK(steps_of_call(budget, 2999us, 3ms) == 0);
}

TEST_CASE("step budget: a step longer than the budget is made as often as the budgets allow") {
  StepBudget budget;
  CHECK(steps_of_call(budget, 2ms, 5ms) == 1);
  int steps = 0;
  for (int call = 0; call < 100; ++call) steps += steps_of_call(budget, 2ms, 5ms);
  CHECK(steps >= 38);
  CHECK(steps <= 40);
}

TEST_CASE("step budget: one slow step is expected again, and forgotten in a while") {
  StepBudget budget;
  budget.timed(1ms);
  budget.timed(8ms);
  CHECK_FALSE(budget.has_room(0ms, 7ms));
  for (int i = 0; i < 40; ++i) budget.timed(1ms);
  CHECK(budget.has_room(0ms, 2ms));
}

TEST_CASE("step budget: no budget, no step, but the first") {
  StepBudget budget;
  CHECK(budget.has_room(0ms, 0ms));
  budget.timed(1ms);
  CHECK_FALSE(budget.has_room(0ms, 0ms));
  CHECK_FALSE(budget.has_room(0ms, -5ms));
}

TEST_CASE("step budget: what happens to one step in a hundred is expected of each, by its usual size and no more") {
  StepBudget budget;
  for (int i = 0; i < 2000; ++i) budget.timed(i % 100 == 0 ? 3ms : 1ms);  // 99 usual ones are the last
  CHECK_FALSE(budget.has_room(0ms, 2ms));
  CHECK(budget.has_room(0ms, 3001us));
  budget.timed(1s);  // interrupted for long
  for (int i = 0; i < 60; ++i) budget.timed(1ms);
  CHECK(budget.has_room(0ms, 4ms));
}
