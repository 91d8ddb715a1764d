#include "doctor/replay.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "doctor/rerun.hpp"
#include "doctor/signals.hpp"

namespace halfstep::internal {
namespace {

// What rounding alone does to a tensor stays below: some bits of bf16's eight are lost over the layers.
constexpr double kFar = 0.1;

struct Ran {
  ReplayRun run;
  std::vector<SignalCopy> signals;
  std::string digest;
  std::size_t part = 0;
};

// `part`: of the step, to be looked at; none: that where it went non-finite.
Ran run_as(const Capsule& capsule, const ModelSpec& model, const KernelTable& kernels, Executor& executor,
           std::optional<std::size_t> part = {}) {
  Rerun rerun(capsule, model, kernels, executor);
  const StepReport report = rerun.run();
  if (part) rerun.hold(*part);
  Ran ran;
  ran.part = rerun.held().index;
  ran.run.precision = name(model.precision);
  for (std::size_t i = 0; i < model.layer_precision.size(); ++i) {
    if (model.layer_precision[i] == model.precision) continue;
    ran.run.precision += ", " + std::to_string(i) + "=" + std::string(name(model.layer_precision[i]));
  }
  ran.run.finite = report.applied;
  ran.run.cause = report.incident.cause;
  ran.run.tensor = report.incident.tensor;
  ran.run.loss = report.loss;
  ran.run.grad_norm = report.grad_norm;
  ran.signals = copy_signals(rerun.network(), rerun.held().rows);
  ran.digest = step_digest(rerun.network(), rerun.held().rows);
  return ran;
}

double difference(const SignalCopy& wide, const SignalCopy& other) {
  double sum = 0, norm = 0;
  for (std::size_t i = 0; i < wide.values.size() && i < other.values.size(); ++i) {
    const auto a = static_cast<double>(wide.values[i]), b = static_cast<double>(other.values[i]);
    if (!std::isfinite(b)) return std::numeric_limits<double>::infinity();
    sum += (a - b) * (a - b);
    norm += a * a;
  }
  if (sum == 0) return 0;
  return norm > 0 ? std::sqrt(sum / norm) : std::numeric_limits<double>::infinity();
}

}  // namespace

Replay replay_step(const Capsule& capsule, const KernelTable& kernels, Executor& executor) {
  std::vector<Ran> runs;
  runs.push_back(run_as(capsule, capsule.model, kernels, executor));
  runs.back().run.recorded = true;
  for (const Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) {
    ModelSpec model = capsule.model;
    model.precision = dtype;
    model.layer_precision.clear();
    runs.push_back(run_as(capsule, model, kernels, executor, runs.front().part));
  }
  Replay out;
  out.isa = kernels.name;
  out.threads = executor.threads();
  out.same_bits = runs.front().digest == capsule.digest;
  for (const Ran& ran : runs) out.runs.push_back(ran.run);
  const Ran& wide = runs[1];
  for (std::size_t i = 0; i < wide.signals.size(); ++i) {
    ReplayTensor tensor = {wide.signals[i].name, largest(wide.signals[i]), {}};
    for (const Ran& ran : runs) tensor.differences.push_back(difference(wide.signals[i], ran.signals[i]));
    if (out.first_different.empty() && tensor.differences.front() > kFar) out.first_different = tensor.tensor;
    out.tensors.push_back(std::move(tensor));
  }
  return out;
}

}  // namespace halfstep::internal
