// What of a network fits fp16, and at which loss scale.
#pragma once
#include <cstddef>
#include <vector>

#include "halfstep/preflight.hpp"

namespace halfstep::internal {

// Of values measured in fp32, were they 2^bits times as large.
StorageLoss storage_loss(const TensorMeter& wide, Dtype storage, int bits = 0);

struct Fp16Plan {
  double loss_scale = 1;
  std::vector<LayerPrecision> lift;
};

// The power of two from `least` to `most` at which the most layers fit fp16, the largest of them: two bits stay free
// above the largest gradient of these layers, as Headroom keeps them. The others are to be lifted: to bf16, or to fp32
// where that is too narrow too.
Fp16Plan plan_fp16(const std::vector<PreflightTensor>& tensors, std::size_t layers, double least, double most);

}  // namespace halfstep::internal
