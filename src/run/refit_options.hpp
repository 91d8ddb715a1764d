// Whether a second run on all rows can be.
#pragma once
#include "halfstep/options.hpp"

namespace halfstep::internal {

// Throws Error(invalid_argument) where options.refit does not go with the others. `options.quality` may be "auto".
void check_refit(const Options& options);

}  // namespace halfstep::internal
