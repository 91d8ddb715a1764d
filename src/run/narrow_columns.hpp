// Which inputs of a run fp16 cannot hold.
#pragma once
#include <vector>

#include "run/input_columns.hpp"

namespace halfstep::internal {

// Those that do not fit, the largest first, then those that all become zero.
std::vector<PreflightColumn> narrow_columns(const Prepared& prepared, const std::vector<Extreme>& extremes);

}  // namespace halfstep::internal
