// Meters as lines of the metrics log.
#pragma once
#include "halfstep/meters.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

// {"event":"meter","step":..,"applied":..,"loss_scale":..,"tensors":[..],"updates":[..]}; the exponents of a tensor are
// {"first":E,"counts":[..]}: counts[i] magnitudes from 2^(E+i) to twice that, zeros apart.
json::Object meter_line(const MeterReport& report);
// The reverse. Throws Error(format).
MeterReport meter_of_line(const json::Value& line);

}  // namespace halfstep::internal
