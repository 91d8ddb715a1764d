// What the system lets this process have.
#pragma once
#include "halfstep/machine_check.hpp"

namespace halfstep::internal {

MachineLimits machine_limits();

// Of this thread, as it is now.
CallerFloatingPoint caller_floating_point();

}  // namespace halfstep::internal
