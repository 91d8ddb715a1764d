// A second run, on the rows held out too, for as long as the first one found to be best.
#pragma once
#include <cstdint>
#include <functional>

#include "halfstep/jobs.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/output_meaning.hpp"
#include "run/prepare.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

// The rows of both, those held out last. Of rows in memory.
data::Examples all_rows(const data::Examples& train, const data::Examples& held_out);

struct FirstRun {
  const Options& options;
  const Machine& machine;
  const Prepared& prepared;
  const OutputMeaning& meaning;
  StepTrainer& trainer;
  std::function<void(StepTrainer&)> begin;  // gives a new trainer the weights that it starts with; may be empty
};

// Trains on all rows for the epochs that led to `result`, which the rate's course and the rows' order are scaled to.
// `saved` and `result` then have the new model, but for result.eval, which stays what rows held out said of the first.
// Where that run comes to no end, or there is nothing to go by, both stay as they are, with a line in result.warnings.
void refit(const FirstRun& first, const TrainObserver& observer, SavedModel& saved, TrainResult& result);

}  // namespace halfstep::internal
