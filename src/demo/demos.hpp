// The demonstrations, a file each, and what they share: arrays of one vector's length, and the kernels of this CPU.
#pragma once
#include <array>
#include <span>

#include "amp/gradient_pass.hpp"
#include "halfstep/demo.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

Demo underflow_demo(const KernelTable& kernels);
Demo scaling_demo(const KernelTable& kernels);
Demo overflow_demo(const KernelTable& kernels);

struct alignas(64) DemoVector {
  std::array<float, kLanes> x = {};
};

// What is left of x after it was stored.
DemoVector stored(const KernelTable& kernels, Dtype dtype, const DemoVector& x);
float stored(const KernelTable& kernels, Dtype dtype, float x);

// Mean squared error of predictions that are off by `errors`, and its gradient times `scale` as the training step
// stores it.
struct DemoGradient {
  double loss = 0;
  DemoVector d;
};
DemoGradient mse_gradient(const KernelTable& kernels, Dtype dtype, std::span<const float> errors, float scale);

GradientSummary summarise(const KernelTable& kernels, const DemoVector& d, float scale, float inv_scale,
                          const ClipOptions& clip = {});

}  // namespace halfstep::internal
