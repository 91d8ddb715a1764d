// How the rows of an epoch are cut into steps, and how long a run is: numbers that follow from numbers.
#pragma once
#include <cstddef>
#include <cstdint>

#include "halfstep/types.hpp"

namespace halfstep::internal {

struct EpochPlan {
  std::size_t rows = 0;        // of an epoch
  std::size_t batch_rows = 0;  // of a batch
  std::size_t step_rows = 0;   // of all batches of a step, the last step of an epoch may have fewer
  bool no_single_row = false;  // BatchNorm cannot train on one row
};

// For `rows` rows, in steps of `accumulate` batches of `batch` rows. No batch and no step is larger than the set.
EpochPlan plan_epoch(std::size_t rows, std::size_t batch, std::size_t accumulate, Norm norm);

// Rows of the step that begins with row `row` of the epoch. Where a single row would be left for the last step, and it
// could not train on that, the step before it leaves it a second one.
std::size_t step_rows_at(const EpochPlan& plan, std::size_t row);

std::int64_t steps_per_epoch(const EpochPlan& plan);

struct RunLength {
  std::int64_t epochs = 0;  // planned; 0: the run is counted in steps
  std::int64_t steps = 0;   // to attempt
};

// `steps` steps, or `epochs` epochs where that is 0. Where both are, enough epochs for about a thousand steps, 20 to
// 200: small sets need more passes than large ones to see the same number of updates.
RunLength run_length(const EpochPlan& plan, std::int64_t epochs, std::int64_t steps);

}  // namespace halfstep::internal
