// The first steps of a run, made to see how it would fare: nothing is written, and the run itself does not begin.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "halfstep/preflight.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {

// A run that could begin.
struct RunToTry {
  const Options& options;
  const Prepared& prepared;
  const Machine& machine;
  const SavedModel* start;  // whose weights it starts from; null: none
};

// How long it is tried.
struct TryBounds {
  int steps = 12;       // of each precision, where time allows; at least 3 are made
  double seconds = 10;  // of all
};

// The run in fp32, with meters on.
struct WideSteps {
  std::string model;  // "4-128-64-3 relu"
  std::size_t layers = 0;
  std::int64_t steps = 0;
  std::string failure;                   // why a step was not finite, and what to do; empty: all were
  std::vector<PreflightTensor> tensors;  // without their losses, and without the input
};
WideSteps measure_wide(const RunToTry& run, const TryBounds& bounds);

// Each of `options` in turns with the others, where memory allows: what disturbs the machine meets them all. Speedups
// are those over the first.
std::vector<PreflightTrial> try_each(const RunToTry& run, const std::vector<Options>& options, const TryBounds& bounds);

}  // namespace halfstep::internal
