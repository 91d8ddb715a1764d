// What a storage type would do to values that were measured in fp32.
#pragma once
#include "halfstep/meters.hpp"

namespace halfstep::internal {

// The counts of `wide`, a reading in fp32, as if its values were rounded to `storage`: from their powers of two, so a
// value within half a unit of a border may be counted on its other side.
TensorMeter forecast(const TensorMeter& wide, Dtype storage);

}  // namespace halfstep::internal
