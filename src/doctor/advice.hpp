// What readings of the meters and weights mean for a run, in sentences that say what to do.
#pragma once
#include <string>
#include <vector>

#include "halfstep/meters.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

// Values lost to zero or to infinity, and updates that changed nothing; the worst first. Empty: nothing is lost.
std::vector<std::string> meter_findings(const MeterReport& meters);

// Weights that are not finite, that a 16-bit copy loses, or that are far larger than their layer's fan-in calls for.
std::vector<std::string> weight_findings(const std::vector<NamedTensor>& tensors, Dtype storage);

// How the values of a tensor would fare in `storage`.
TensorMeter meter_of(const NamedTensor& tensor, Dtype storage, const KernelTable& kernels);

}  // namespace halfstep::internal
