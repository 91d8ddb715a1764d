// What a failed self-test means for the user.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "halfstep/machine_check.hpp"

namespace halfstep::internal {

// One line; empty where all passed. `chosen` is the ISA that runs take; `usable` those that they may take, from the
// plainest to the widest.
std::string self_test_advice(std::span<const IsaCheck> checks, std::string_view chosen,
                             std::span<const std::string> usable);

}  // namespace halfstep::internal
