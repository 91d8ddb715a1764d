// The loss scaler that the options ask for.
#pragma once
#include <optional>

#include "amp/grad_scaler.hpp"
#include "amp/headroom.hpp"
#include "halfstep/options.hpp"

namespace halfstep {

GradScalerOptions scaler_options(const Options& options);
std::optional<Headroom> headroom_of(const Options& options);

}  // namespace halfstep
