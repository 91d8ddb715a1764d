#include "demo/demos.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "kernels/dispatch.hpp"
#include "loss/loss.hpp"

namespace halfstep {

using namespace internal;
namespace {

struct Entry {
  std::string_view name;
  Demo (*run)(const KernelTable&);
};
constexpr Entry kDemos[] = {{"underflow", underflow_demo}, {"scaling", scaling_demo}, {"overflow", overflow_demo}};
constexpr std::string_view kNames[] = {kDemos[0].name, kDemos[1].name, kDemos[2].name};

}  // namespace

std::span<const std::string_view> demo_names() { return kNames; }

Demo run_demo(std::string_view name, std::string_view isa) {
  for (const Entry& entry : kDemos) {
    if (entry.name != name) continue;
    const FpEnvGuard fp_env;
    return entry.run(select_isa(isa, Math::native));
  }
  throw Error(Status::invalid_argument, {.what = "no such demonstration",
                                         .where = std::string(name),
                                         .why = {},
                                         .kept = {},
                                         .hint = "underflow, scaling or overflow"});
}

namespace internal {

DemoVector stored(const KernelTable& kernels, Dtype dtype, const DemoVector& x) {
  DemoVector memory, out;  // memory: large enough for any storage type
  kernels.from_fp32[index_of(dtype)](kLanes, x.x.data(), memory.x.data());
  kernels.to_fp32[index_of(dtype)](kLanes, memory.x.data(), out.x.data());
  return out;
}

float stored(const KernelTable& kernels, Dtype dtype, float x) { return stored(kernels, dtype, DemoVector{{x}}).x[0]; }

DemoGradient mse_gradient(const KernelTable& kernels, Dtype dtype, std::span<const float> errors, float scale) {
  const std::unique_ptr<Executor> executor = make_executor(1, "serial");
  DemoVector predictions, truth, sums;
  std::copy(errors.begin(), errors.end(), predictions.x.begin());
  DemoVector rows[2], panels[2];  // the storage form of two rows, the second one padding
  const LossGradient gradient = {{rows, kLanes, panels, 2 * kLanes, dtype}, sums.x.data(), kLanes};
  const LogitsView logits = {predictions.x.data(), kLanes, errors.size(), 1};
  DemoGradient out;
  out.loss = evaluate_loss(*make_loss(LossKind::mse, 1), kernels, *executor, logits, {nullptr, truth.x.data()}, scale,
                           &gradient);
  kernels.to_fp32[index_of(dtype)](kLanes, rows, out.d.x.data());
  return out;
}

GradientSummary summarise(const KernelTable& kernels, const DemoVector& d, float scale, float inv_scale,
                          const ClipOptions& clip) {
  const double squares = kernels.sum_squares(kLanes, d.x.data());
  const GradientSquares tensor = {{&squares, 1}};
  return summarise_gradients({&tensor, 1}, scale, inv_scale, clip);
}

}  // namespace internal

}  // namespace halfstep
