// What a preflight found, in sentences that say what to do.
#pragma once
#include <string>
#include <vector>

#include "halfstep/preflight.hpp"

namespace halfstep::internal {

// Of steps on the same rows: whether rounding has made the loss clearly larger than fp32's, which is the first trial.
bool learns_less(const std::vector<PreflightTrial>& trials, const PreflightTrial& trial);

std::vector<std::string> preflight_findings(const Preflight& report, std::size_t layers);

}  // namespace halfstep::internal
