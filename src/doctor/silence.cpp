#include "doctor/silence.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/rerun.hpp"
#include "doctor/signals.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

std::vector<SignalCopy> signals_in(const Capsule& capsule, Dtype dtype, const KernelTable& kernels,
                                   Executor& executor) {
  ModelSpec model = capsule.model;
  model.precision = dtype;
  model.layer_precision.clear();
  Rerun rerun(capsule, model, kernels, executor);
  rerun.run();
  return copy_signals(rerun.network(), rerun.held().rows);
}

const SignalCopy* find(const std::vector<SignalCopy>& signals, const std::string& name) {
  const auto found = std::find_if(signals.begin(), signals.end(), [&](const SignalCopy& s) { return s.name == name; });
  return found == signals.end() ? nullptr : &*found;
}

std::string count_text(std::size_t layers) {
  return std::to_string(layers) + (layers == 1 ? " layer does" : " layers do") + " not learn";
}

}  // namespace

std::optional<Incident> examine_silence(const Capsule& c, const std::vector<std::string>& silent,
                                        const KernelTable& kernels, Executor& executor) {
  Rerun rerun(c, c.model, kernels, executor);
  rerun.run();
  const std::vector<SignalCopy> signals = copy_signals(rerun.network(), rerun.held().rows);
  // Gradients come from the last layer down: the first that is zero is where they end.
  const auto end =
      std::find_if(signals.begin(), signals.end(), [](const SignalCopy& s) { return s.gradient && largest(s) == 0; });
  if (end == signals.end()) return {};
  Incident i;
  i.step = c.clock.attempted + 1;
  i.applied = c.clock.applied;
  i.epoch = c.batch > 0 ? c.clock.epoch + 1 : 0;
  i.batch = c.batch;
  i.reason = IncidentReason::vanished;
  i.tensor = end->name;
  i.operation = "product";
  i.storage = storage_of(rerun.network(), end->name);
  i.count = static_cast<std::int64_t>(end->values.size());
  i.loss_scale = static_cast<double>(c.loss_scale);
  i.recent = c.recent;
  const std::vector<SignalCopy> wide = signals_in(c, Dtype::fp32, kernels, executor);
  const SignalCopy* const in_fp32 = find(wide, end->name);
  i.value = in_fp32 ? largest(*in_fp32) : 0;
  const std::string zero = "every value of " + i.tensor + " is zero, and " + count_text(silent.size()) + ": ";
  if (i.value > 0) {
    i.why = zero + "in fp32 its largest is " + short_number(i.value) + " at the loss scale " +
            number_text(i.loss_scale) + ", which " + std::string(name(i.storage)) + " takes for zero";
  } else {
    i.why = zero + "above it, the gradient goes through units that are all switched off or saturated";
  }
  // bf16 has fp32's range: does a gradient get through to the input there?
  const std::vector<SignalCopy> bf16 = signals_in(c, Dtype::bf16, kernels, executor);
  const SignalCopy* const first = find(bf16, "layers.0.d");
  const bool helps = i.storage == Dtype::fp16 && first != nullptr && largest(*first) > 0;
  i.advice =
      (helps ? std::string("--precision bf16, which has fp32's range, or ") : std::string()) +
      "--norm layer, --residual, or --activation relu: gradients that shrink from layer to layer are lost in any type";
  return i;
}

}  // namespace halfstep::internal
