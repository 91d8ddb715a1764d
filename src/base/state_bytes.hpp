// A State as bytes, and back: for embedders who keep it where they like. Little-endian, with a digest at the end.
#pragma once
#include <span>
#include <vector>

#include "base/state.hpp"

namespace halfstep::internal {

std::vector<std::byte> state_bytes(const State& state);
// Throws Error(format) for bytes that are not such a state: cut off, altered, of a later version.
State state_from_bytes(std::span<const std::byte> bytes);

}  // namespace halfstep::internal
