#include "doctor/fp16_plan.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace halfstep::internal {
namespace {

// Values of about 2^power, a hundred of each.
PreflightTensor wide_tensor(const std::string& name, std::int64_t layer, bool gradient, int least, int most) {
  PreflightTensor t;
  t.tensor = name;
  t.layer = layer;
  t.gradient = gradient;
  t.largest = std::ldexp(1.0, most);
  for (int power = least; power <= most; ++power) t.wide.exponents[static_cast<std::size_t>(127 + power)] = 100;
  t.wide.elements = 100 * (most - least + 1);
  return t;
}

constexpr double kScaleMin = 1, kScaleMax = 16777216;

}  // namespace

TEST_CASE("fp16 plan: two bits stay free above the largest gradient") {
  const std::vector<PreflightTensor> tensors = {wide_tensor("layers.0.d", 0, true, -12, -8),
                                                wide_tensor("layers.1.d", 1, true, -10, -6)};
  const Fp16Plan plan = plan_fp16(tensors, 2, kScaleMin, kScaleMax);
  CHECK(plan.lift.empty());
  CHECK(plan.loss_scale == std::ldexp(1.0, 14 + 6));
}

TEST_CASE("fp16 plan: of gradients that no scale holds together one layer goes wide") {
  // The first layer's lie 30 powers of two below the others'.
  const std::vector<PreflightTensor> tensors = {wide_tensor("layers.0.d", 0, true, -34, -30),
                                                wide_tensor("layers.1.d", 1, true, -4, 0),
                                                wide_tensor("layers.2.d", 2, true, -4, 0)};
  const Fp16Plan plan = plan_fp16(tensors, 3, kScaleMin, kScaleMax);
  REQUIRE(plan.lift.size() == 1);
  CHECK(plan.lift[0] == LayerPrecision{0, Dtype::bf16});
  CHECK(plan.loss_scale == std::ldexp(1.0, 14));
}

TEST_CASE("fp16 plan: an output that is too large lifts the layer that reads it") {
  const std::vector<PreflightTensor> tensors = {wide_tensor("layers.0.output", 1, false, 10, 17),
                                                wide_tensor("layers.1.output", 2, false, 10, 14),
                                                wide_tensor("layers.2.weight", 2, false, -30, -26)};
  const Fp16Plan plan = plan_fp16(tensors, 3, kScaleMin, kScaleMax);
  REQUIRE(plan.lift.size() == 2);
  CHECK(plan.lift[0].layer == 1);  // beyond 65504
  CHECK(plan.lift[1].layer == 2);  // its weights would be zero
  const StorageLoss loss = storage_loss(tensors[0].wide, Dtype::fp16);
  CHECK(loss.saturated == doctest::Approx(0.25));
  CHECK(loss.headroom == -2);
}

TEST_CASE("fp16 plan: the limits of the loss scale hold") {
  const std::vector<PreflightTensor> tiny = {wide_tensor("layers.0.d", 0, true, -60, -58)};
  CHECK(plan_fp16(tiny, 1, kScaleMin, kScaleMax).lift.size() == 1);
  CHECK(plan_fp16(tiny, 1, kScaleMin, std::ldexp(1.0, 80)).loss_scale == std::ldexp(1.0, 14 + 58));
  const std::vector<PreflightTensor> huge = {wide_tensor("layers.0.d", 0, true, 16, 20)};
  CHECK(plan_fp16(huge, 1, kScaleMin, kScaleMax).lift.size() == 1);
  CHECK(plan_fp16(huge, 1, std::ldexp(1.0, -20), kScaleMax).loss_scale == std::ldexp(1.0, -6));
}

}  // namespace halfstep::internal
