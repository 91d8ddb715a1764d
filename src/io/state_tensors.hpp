// A State in a safetensors file: arrays as tensors "state.NAME", single numbers and texts as JSON in the metadata
// "halfstep.state".
#pragma once
#include <string>
#include <string_view>

#include "base/state.hpp"
#include "io/safetensors.hpp"

namespace halfstep::internal::io {

constexpr std::string_view kStatePrefix = "state.";

// The file's tensors point into `state`, which outlives it.
void add_state(const State& state, File& file);

// Throws Error(format), with `path` as the place, where the file has none or its parts do not fit their types.
State state_of(const File& file, const std::string& path);

}  // namespace halfstep::internal::io
