// The loss scaler that the options ask for.
#pragma once
#include "amp/grad_scaler.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal {

GradScalerOptions scaler_options(const Options& options);

}  // namespace halfstep::internal
