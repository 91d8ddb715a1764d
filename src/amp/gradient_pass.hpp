// What one look at the scaled gradients decides: whether the step may be applied, the norm, and the one multiplier that
// unscales and clips. The look itself falls out of the weight-gradient products (sums of squares of each block).
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace halfstep::internal {

// Sums of squares of the blocks of one tensor's scaled gradient.
struct GradientSquares {
  std::span<const double> blocks;
};

struct ClipOptions {
  double norm = 0;   // global L2 norm after unscale; 0: off
  double value = 0;  // per element after unscale; 0: off
};

struct GradientSummary {
  bool finite = true;
  double norm = 0;                // unscaled, before clipping by norm
  float multiplier = 1;           // inv_scale x clip_coef
  float limit = 0;                // clip by value in the scaled domain; infinity: off
  std::ptrdiff_t first_bad = -1;  // index of the first tensor that is not finite; -1: none
};

// min(1, max_norm / (norm + 1e-6)), the fp32 value that PyTorch's clip_grad_norm_ takes for this norm; max_norm of
// 0: 1. `norm` is finite.
float clip_coefficient(double max_norm, double norm);

// What is done with gradients of that norm, after unscale: the one rule of the trainer and of embedders.
struct GradientDecision {
  bool apply = false;
  float coefficient = 1;  // clip_coef
  float multiplier = 1;   // inv_scale x clip_coef
};

// Applied are finite gradients (`finite`: their scaled sums of squares are) that stay within fp32 when a scale below 1
// is divided out (pytorch#96755), and whose multiplier is a normal number of fp32: a smaller one is zero in the update,
// and the step would be counted although nothing moves. `max_norm` 0: no clip.
GradientDecision decide(bool finite, double norm, float inv_scale, double max_norm);

// A non-finite sum is an incident, never a factor; decide() says the rest. `squares` must be those of the gradients
// after clipping by value when both clips are asked for.
GradientSummary summarise_gradients(std::span<const GradientSquares> tensors, float scale, float inv_scale,
                                    const ClipOptions& clip);

}  // namespace halfstep::internal
