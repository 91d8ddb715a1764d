#include <algorithm>
#include <bit>
#include <cmath>

#include "amp/grad_scaler.hpp"
#include "amp/step_cause.hpp"
#include "base/dtype.hpp"
#include "demo/demos.hpp"

namespace halfstep::internal {
namespace {

constexpr float kErrors[] = {2e5f, 10, 1, -0.5f};  // mean square 1e10, one output far off
constexpr ClipOptions kClip = {.norm = 1};

// Clipping by norm without asking whether the norm is finite, as PyTorch's clip_grad_norm_ does by default.
DemoVector clipped_blindly(const KernelTable& kernels, DemoVector d) {
  const double norm = std::sqrt(kernels.sum_squares(kLanes, d.x.data()));
  const auto coefficient = static_cast<float>(std::min(1.0, kClip.norm / (norm + 1e-6)));
  for (float& x : d.x) x *= coefficient;
  return d;
}

DemoTable clipping(const KernelTable& kernels, const DemoGradient& fp32, const DemoGradient& fp16) {
  DemoVector by_value = fp16.d;
  kernels.clamp(kLanes, 1, by_value.x.data());
  const DemoVector by_norm = clipped_blindly(kernels, fp16.d), wanted = clipped_blindly(kernels, fp32.d);
  const char* notes[] = {"its size is lost", "wiped out by the norm", "", ""};
  DemoTable table{"Its gradients, clipped to 1", {"fp32", "fp16", "by value", "by norm", "fp32 by norm"}, {}};
  for (std::size_t i = 0; i < std::size(kErrors); ++i) {
    table.rows.push_back(
        {"d" + std::to_string(i), {fp32.d.x[i], fp16.d.x[i], by_value.x[i], by_norm.x[i], wanted.x[i]}, notes[i]});
  }
  return table;
}

// What the training step does with it: skip, shrink the scale, and clip once everything is finite.
DemoTable repair(const KernelTable& kernels, GradScaler scaler, DemoVector& update) {
  DemoTable table{"What a training step does", {"scale", "largest d", "norm", "multiplier"}, {}};
  for (int attempt = 1;; ++attempt) {
    const float scale = scaler.scale();
    const DemoVector d = mse_gradient(kernels, Dtype::fp16, kErrors, scale).d;
    const GradientSummary summary = summarise(kernels, d, scale, scaler.inv_scale(), kClip);
    const GradientScan scan = kernels.scan[index_of(Dtype::fp32)](kLanes, d.x.data(), INFINITY);
    const double largest = static_cast<double>(std::bit_cast<float>(scan.largest));
    table.rows.push_back({"attempt " + std::to_string(attempt),
                          {scale, largest, summary.norm, summary.finite ? summary.multiplier : 0.0},
                          summary.finite ? "applied" : "skipped: only the scale changes"});
    scaler.update(summary.finite, smaller_scale_helps(StepCause::scale));
    if (!summary.finite && !scaler.at_minimum()) continue;
    for (std::size_t i = 0; i < kLanes; ++i) update.x[i] = d.x[i] * summary.multiplier;
    return table;
  }
}

}  // namespace

Demo overflow_demo(const KernelTable& kernels) {
  const DemoGradient fp32 = mse_gradient(kernels, Dtype::fp32, kErrors, 1);
  const DemoGradient fp16 = mse_gradient(kernels, Dtype::fp16, kErrors, 1);
  GradScalerOptions options;
  options.initial = 8;
  options.minimum = 0x1p-16f;
  DemoVector update;
  DemoTable attempts = repair(kernels, GradScaler(options), update);
  DemoTable result{"What it applies", {"fp32 by norm", "fp16, rescaled"}, {}};
  const DemoVector wanted = clipped_blindly(kernels, fp32.d);
  for (std::size_t i = 0; i < std::size(kErrors); ++i) {
    result.rows.push_back({"d" + std::to_string(i), {wanted.x[i], update.x[i]}, ""});
  }
  return {.name = "overflow",
          .title = "A loss of 1e10",
          .tables = {{"The loss", {"loss"}, {{"mean squared error", {fp32.loss}, "one of four outputs is off by 2e5"}}},
                     clipping(kernels, fp32, fp16),
                     attempts,
                     result},
          .lesson =
              "An infinity has no size left to clip: by value it becomes any other large gradient, by norm it "
              "takes all others with it. Only a smaller scale brings the number back; then clipping works."};
}

}  // namespace halfstep::internal
