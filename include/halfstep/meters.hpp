// What rounding to the storage types does to a run: sampled at single steps, nothing at the others.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep {

// One tensor of one step, each element compared before and after it is rounded to `storage`. Gradients carry the loss
// scale, as they do in memory. Zeros that were zero before count as nothing but elements.
struct TensorMeter {
  std::string
      tensor;  // "layers.0.output", "layers.0.d" (gradient by the pre-activation), "gradient of layers.0.weight"
  Dtype storage = Dtype::fp32;
  std::int64_t elements = 0;
  std::int64_t flushed = 0;     // became zero
  std::int64_t subnormal = 0;   // are subnormal in storage: they keep fewer bits
  std::int64_t saturated = 0;   // finite before, infinite in storage
  std::int64_t non_finite = 0;  // were not finite before
  // Magnitudes before rounding: exponents[i] counts those in [2^(i-127), 2^(i-126)); [0] zeros and what fp32 flushes to
  // zero, [255] infinities and NaN.
  std::array<std::int64_t, 256> exponents{};
  double largest = 0;  // finite magnitude before rounding; a resumed run has that of its next reading
};

// The working weights of one layer, before and after an update.
struct UpdateMeter {
  std::string tensor;  // "layers.0.weight"
  Dtype storage = Dtype::fp32;
  std::int64_t weights = 0;
  std::int64_t unchanged = 0;  // have the same bits after the update
};

// One reading of all meters.
struct MeterReport {
  std::int64_t step = 0;  // attempted, from 1
  bool applied = false;   // `updates` is empty otherwise
  double loss_scale = 1;
  // Outputs and d are stored as their meters say. Weight gradients are fp32 in memory: their meters tell what storage
  // in the precision of the layer would do to them.
  std::vector<TensorMeter> tensors;
  std::vector<UpdateMeter> updates;
};

}  // namespace halfstep
