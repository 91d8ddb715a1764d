// Which precision suits a run on this machine, from a few of its steps.
#pragma once
#include "run/preflight_runs.hpp"

namespace halfstep::internal {

struct PrecisionChoice {
  Preflight report;
  Options options;  // of the run, with what is recommended; as they were where nothing is
};

// Those that such a choice may change.
std::vector<std::string> parameters_of_precision();

PrecisionChoice choose_precision(const RunToTry& run, const TryBounds& bounds);

}  // namespace halfstep::internal
