// How far the storage types reach.
#pragma once
#include "halfstep/types.hpp"

namespace halfstep::internal {

constexpr double largest_of(Dtype dtype) {
  return dtype == Dtype::fp16 ? 65504 : dtype == Dtype::bf16 ? 0x1.fep127 : 0x1.fffffep127;
}

// The least magnitude that rounds to infinity: half a unit above the largest.
constexpr double rounds_to_infinity(Dtype dtype) {
  return dtype == Dtype::fp16 ? 65520 : dtype == Dtype::bf16 ? 0x1.ffp127 : 0x1.ffffffp127;
}

}  // namespace halfstep::internal
