// The parts of a training step, as measurements name them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "halfstep/enum_names.hpp"

namespace halfstep {

// What a step consists of; on the way back each layer has its own gradients, the last layer first.
enum class StepStage : std::uint8_t {
  forward,          // products, bias, activation, rounding
  loss,             // and its gradient by the logits
  input_gradient,   // products with the derivative of the activation; no input gradient of the first layer
  weight_gradient,  // products with the sums of squares
  bias_gradient,    // sums over rows
  summarise,        // finite or not, norm, and the one multiplier that unscales and clips
  update            // moments, weights and their packed copies; grad scaler
};
// How many there are.
inline constexpr std::size_t kStepStages = 7;

template <>
inline constexpr std::array<std::string_view, kStepStages> kEnumNames<StepStage> = {
    "forward", "loss", "dgrad", "wgrad", "bias", "summarise", "update"};

}  // namespace halfstep
