#include "demo/demos.hpp"
#include "optim/optimizer.hpp"

namespace halfstep::internal {
namespace {

constexpr float kSmall = 1e-5f;
constexpr int kSteps = 1000;
constexpr Dtype kColumns[] = {Dtype::fp32, Dtype::fp16, Dtype::bf16};

DemoRow row_of(const KernelTable& kernels, std::string label, float x, std::string note) {
  DemoRow row{std::move(label), {}, std::move(note)};
  for (const Dtype dtype : kColumns) row.values.push_back(stored(kernels, dtype, x));
  return row;
}

// `steps` updates by plain gradient descent; the weight lies in `dtype` between them.
float descend(const KernelTable& kernels, Dtype dtype, float weight, float lr, float gradient, int steps) {
  const auto optimizer =
      make_optimizer({.kind = OptimizerKind::sgd, .momentum = 0, .weight_decay = 0}, {std::size_t{kLanes}});
  DemoVector w{{stored(kernels, dtype, weight)}};
  const DemoVector g{{gradient}};
  for (int i = 0; i < steps; ++i) {
    optimizer->begin_step(static_cast<double>(lr), 1, 3e38f);
    optimizer->apply(kernels, 0, 0, kLanes, g.x.data(), w.x.data());
    w = stored(kernels, dtype, w);
  }
  return w.x[0];
}

DemoRow descent(const KernelTable& kernels, std::string label, float weight, float lr, float gradient, int steps,
                std::string note) {
  DemoRow row{std::move(label), {}, std::move(note)};
  for (const Dtype dtype : kColumns) row.values.push_back(descend(kernels, dtype, weight, lr, gradient, steps));
  // Mixed precision: the update goes to the fp32 master, and only the copy that is read is rounded.
  row.values.push_back(stored(kernels, Dtype::fp16, descend(kernels, Dtype::fp32, weight, lr, gradient, steps)));
  return row;
}

}  // namespace

Demo underflow_demo(const KernelTable& kernels) {
  DemoTable numbers{"What is stored", {"fp32", "fp16", "bf16"}, {}};
  numbers.rows = {row_of(kernels, "gradient 1e-5", kSmall, "subnormal in fp16: few bits are left"),
                  row_of(kernels, "rate 1e-5 x gradient 1e-5", kSmall * kSmall, "below fp16's smallest number: zero")};
  DemoTable weights{"What becomes of a weight", {"fp32", "fp16", "bf16", "fp16 + master"}, {}};
  weights.rows = {descent(kernels, "1e-5, one update of 1e-10", kSmall, kSmall, kSmall, 1, "fp16 and bf16 do not move"),
                  descent(kernels, "1, one update of 1e-5", 1, 1, kSmall, 1, "fp16 steps by 4.9e-4 here"),
                  descent(kernels, "1, 1000 updates of 1e-5", 1, 1, kSmall, kSteps, "only a master adds them up")};
  return {.name = "underflow",
          .title = "Small updates in small numbers",
          .tables = {numbers, weights},
          .lesson =
              "16 bits hold a weight well enough to compute with, but not well enough to add small updates to: "
              "the optimizer keeps fp32 master weights."};
}

}  // namespace halfstep::internal
