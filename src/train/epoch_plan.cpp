#include "train/epoch_plan.hpp"

#include <algorithm>

namespace halfstep::internal {

EpochPlan plan_epoch(std::size_t rows, std::size_t batch, std::size_t accumulate, Norm norm) {
  const std::size_t batch_rows = std::min(batch, rows);
  return {rows, batch_rows, std::min(batch_rows * accumulate, rows), norm == Norm::batch};
}

std::size_t step_rows_at(const EpochPlan& plan, std::size_t row) {
  const std::size_t left = plan.rows - row;
  return plan.no_single_row && left == plan.step_rows + 1 ? plan.step_rows - 1 : std::min(plan.step_rows, left);
}

std::int64_t steps_per_epoch(const EpochPlan& plan) {
  return static_cast<std::int64_t>((plan.rows + plan.step_rows - 1) / plan.step_rows);
}

RunLength run_length(const EpochPlan& plan, std::int64_t epochs, std::int64_t steps) {
  if (steps > 0) return {0, steps};
  const std::int64_t each = steps_per_epoch(plan);
  if (epochs == 0) epochs = std::clamp<std::int64_t>(1000 / each, 20, 200);
  return {epochs, epochs * each};
}

}  // namespace halfstep::internal
