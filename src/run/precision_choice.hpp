// Which precision suits a run on this machine, from a few of its steps.
#pragma once
#include "run/input_columns.hpp"
#include "run/preflight_runs.hpp"

namespace halfstep::internal {

struct PrecisionChoice {
  Preflight report;
  Options options;  // of the run, with what is recommended; as they were where nothing is
  std::size_t layers = 0;
  std::vector<Extreme> extremes;  // of its inputs
};

// Of steps on the same rows: whether rounding has made the loss clearly larger than fp32's, which is the first trial.
bool learns_less(const std::vector<PreflightTrial>& trials, const PreflightTrial& trial);

// A report without columns, constants and findings, which are for people.
PrecisionChoice choose_precision(const RunToTry& run, const TryBounds& bounds);

}  // namespace halfstep::internal
