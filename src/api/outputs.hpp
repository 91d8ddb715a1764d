// Outputs of a network as the public face gives them.
#pragma once
#include <span>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "nn/network.hpp"
#include "train/inference.hpp"

namespace halfstep::internal {

// rows x outputs numbers for rows x inputs: probabilities, or values in target units; NaN in rows that are not finite.
// Any number of rows, in batches of what the network holds. Throws Error(invalid_argument).
std::vector<float> predict_rows(GemmContext& context, Network& network, LossKind loss, const OutputMeaning& meaning,
                                std::span<const float> x);

}  // namespace halfstep::internal
