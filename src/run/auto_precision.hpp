// What --precision auto stands for in a run.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "run/preflight_runs.hpp"

namespace halfstep::internal {

// `options`, which run.options may be, get the precision that a few steps of the run recommend, or bf16 where they
// recommend none. They say nothing of auto any more, their command neither: the run that it repeats has the same bits
// on every machine. What was chosen; and why, for the notes of the run.
std::vector<std::pair<std::string, std::string>> settle_precision(const RunToTry& run, Options& options,
                                                                  std::vector<std::string>& notes);

// The same from the run that is to go on, whose precision stays.
std::vector<std::pair<std::string, std::string>> take_precision(const SavedModel& checkpoint, Options& options,
                                                                std::vector<std::string>& notes);

}  // namespace halfstep::internal
