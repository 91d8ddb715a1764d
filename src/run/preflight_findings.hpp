// What a preflight found, in sentences that say what to do.
#pragma once
#include <string>
#include <vector>

#include "halfstep/preflight.hpp"

namespace halfstep::internal {

std::vector<std::string> preflight_findings(const Preflight& report, std::size_t layers);

}  // namespace halfstep::internal
