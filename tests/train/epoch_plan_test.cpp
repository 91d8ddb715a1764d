// How an epoch is cut into steps, and how long a run is.
#include "train/epoch_plan.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace halfstep::internal {
namespace {

std::vector<std::size_t> steps_of(const EpochPlan& plan) {
  std::vector<std::size_t> steps;
  for (std::size_t row = 0; row < plan.rows; row += steps.back()) steps.push_back(step_rows_at(plan, row));
  return steps;
}

using Steps = std::vector<std::size_t>;

TEST_CASE("epoch plan: the last step has the rows that are left") {
  CHECK(steps_of(plan_epoch(100, 32, 1, Norm::none)) == Steps{32, 32, 32, 4});
  CHECK(steps_of(plan_epoch(96, 32, 1, Norm::none)) == Steps{32, 32, 32});
  CHECK(steps_of(plan_epoch(97, 32, 1, Norm::layer)) == Steps{32, 32, 32, 1});
}

TEST_CASE("epoch plan: a step is several batches, and never more than the set") {
  CHECK(steps_of(plan_epoch(100, 16, 3, Norm::none)) == Steps{48, 48, 4});
  const EpochPlan large_batch = plan_epoch(20, 64, 3, Norm::none), many = plan_epoch(20, 8, 3, Norm::none);
  CHECK(large_batch.batch_rows == 20);
  CHECK(steps_of(large_batch) == Steps{20});
  CHECK(many.batch_rows == 8);
  CHECK(steps_of(many) == Steps{20});
}

TEST_CASE("epoch plan: BatchNorm gets a second row for a last step of one") {
  CHECK(steps_of(plan_epoch(97, 32, 1, Norm::batch)) == Steps{32, 32, 31, 2});
  CHECK(steps_of(plan_epoch(98, 32, 1, Norm::batch)) == Steps{32, 32, 32, 2});
  CHECK(steps_of(plan_epoch(7, 3, 1, Norm::batch)) == Steps{3, 2, 2});
  CHECK(steps_of(plan_epoch(7, 3, 2, Norm::batch)) == Steps{5, 2});
}

TEST_CASE("epoch plan: every row once, in as many steps as were counted") {
  for (const Norm norm : {Norm::none, Norm::batch}) {
    for (std::size_t rows = 3; rows < 60; ++rows) {
      for (std::size_t batch = 3; batch < 20; ++batch) {
        for (const std::size_t accumulate : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
          const EpochPlan plan = plan_epoch(rows, batch, accumulate, norm);
          const Steps steps = steps_of(plan);
          std::size_t sum = 0;
          bool fits = true;
          for (const std::size_t step : steps) {
            sum += step;
            fits = fits && step > (norm == Norm::batch ? 1 : 0) && step <= batch * accumulate;
          }
          CAPTURE(rows);
          CAPTURE(batch);
          CHECK(fits);
          CHECK(sum == rows);
          CHECK(static_cast<std::int64_t>(steps.size()) == steps_per_epoch(plan));
        }
      }
    }
  }
}

TEST_CASE("run length: steps count before epochs, and without either there are enough of them") {
  const EpochPlan plan = plan_epoch(100, 32, 1, Norm::none);  // 4 steps
  const auto is = [](const RunLength& length, std::int64_t epochs, std::int64_t steps) {
    return length.epochs == epochs && length.steps == steps;
  };
  CHECK(is(run_length(plan, 3, 0), 3, 12));
  CHECK(is(run_length(plan, 3, 5), 0, 5));
  CHECK(is(run_length(plan, 0, 5), 0, 5));
  CHECK(is(run_length(plan, 0, 0), 200, 800));
  CHECK(is(run_length(plan_epoch(1000, 100, 1, Norm::none), 0, 0), 100, 1000));
  CHECK(is(run_length(plan_epoch(100000, 100, 1, Norm::none), 0, 0), 20, 20000));
}

}  // namespace
}  // namespace halfstep::internal
