// The model that a run is to train, from its parameters and its data.
#pragma once
#include "halfstep/model_spec.hpp"
#include "halfstep/options.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {

// Throws Error(invalid_argument) where parameters do not fit the data.
ModelSpec spec_of(const Prepared& prepared, const Options& options);

}  // namespace halfstep::internal
