// Weights and moments that are inf or NaN: nothing can be trained from them.
#pragma once
#include <string>

#include "run/checkpoint_file.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {

// The first tensor with numbers that are inf or NaN, and how many: "layers.0.bias has 3 of them"; empty: none has.
std::string not_finite(const SavedModel& model);

// Throws Error(format), which names the first such tensor and says how many of its numbers are inf or NaN.
void check_finite(const Checkpoint& checkpoint, const std::string& path);
void check_finite(const SavedModel& model, const std::string& path);

}  // namespace halfstep::internal
