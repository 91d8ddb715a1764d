#pragma once
#include "base/rng.hpp"
#include "nn/parameter.hpp"

namespace halfstep::internal {

// He-uniform (He et al., 2015) before ReLU-like activations, Glorot-uniform (Glorot and Bengio, 2010) otherwise. One
// random number an element, in row-major order; pack() is the caller's to call.
void initialise_weight(Parameter& matrix, Activation activation, const Rng& rng);

}  // namespace halfstep::internal
