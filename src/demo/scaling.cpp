#include <cmath>

#include "amp/grad_scaler.hpp"
#include "demo/demos.hpp"

namespace halfstep::internal {
namespace {

constexpr float kErrors[] = {1e-3f, 1e-5f, 1e-6f, 1e-7f, 1e-8f, 1e-9f};

double relative_error(double got, double exact) { return std::fabs(got - exact) / std::fabs(exact); }

std::string verdict_on(double plain, double scaled, double exact) {
  if (plain == 0) return "saved";
  return relative_error(plain, exact) > 4 * relative_error(scaled, exact) ? "repaired" : "";
}

}  // namespace

Demo scaling_demo(const KernelTable& kernels) {
  const GradScaler scaler({.dynamic = false, .initial = 1024});
  const DemoGradient exact = mse_gradient(kernels, Dtype::fp32, kErrors, 1);
  const DemoGradient plain = mse_gradient(kernels, Dtype::fp16, kErrors, 1);
  const DemoGradient scaled = mse_gradient(kernels, Dtype::fp16, kErrors, scaler.scale());
  const GradientSummary summary = summarise(kernels, scaled.d, scaler.scale(), scaler.inv_scale());

  DemoTable loss{"The loss", {"loss", "times 1024"}, {{"mean squared error", {}, ""}}};
  loss.rows[0].values = {exact.loss, exact.loss * static_cast<double>(scaler.scale())};
  DemoTable table{"Its gradients", {"fp32", "fp16", "fp16 x 1024", "unscaled", "error", "error scaled"}, {}};
  for (std::size_t i = 0; i < std::size(kErrors); ++i) {
    const double truth = exact.d.x[i], back = scaled.d.x[i] * summary.multiplier;
    table.rows.push_back(
        {"d" + std::to_string(i),
         {truth, plain.d.x[i], scaled.d.x[i], back, relative_error(plain.d.x[i], truth), relative_error(back, truth)},
         verdict_on(plain.d.x[i], back, truth)});
  }
  return {.name = "scaling",
          .title = "A tiny loss, scaled by 1024",
          .tables = {loss, table},
          .lesson =
              "Scaling the loss scales every gradient, which lifts them out of the range where fp16 has few bits or "
              "none. 1024 is a power of two, so dividing it out again costs nothing."};
}

}  // namespace halfstep::internal
