// The value of --class-weights: "balanced", or name=weight pairs.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfstep::internal {

// The pairs; none for "" and "balanced". Throws Error(invalid_argument) for anything else.
std::vector<std::pair<std::string, double>> parse_class_weights(std::string_view text);

// A weight for each class, nothing for "". Balanced: rows / (classes x rows of the class), as scikit-learn has it; a
// class that is not named weighs 1. Throws Error(invalid_argument) for a name that is no class.
std::vector<double> class_weights(std::string_view text, const std::vector<std::string>& classes,
                                  std::span<const std::int32_t> labels);

}  // namespace halfstep::internal
