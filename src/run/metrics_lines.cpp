#include "run/metrics_lines.hpp"

#include "train/inference.hpp"

namespace halfstep::internal {

json::Object incident_line(const StepRecord& r) {
  json::Array tensors(r.tensors.begin(), r.tensors.end());
  return {{"event", name(r.outcome)}, {"step", r.step}, {"applied", r.applied}, {"cause", name(r.cause)},
          {"tensors", tensors},       {"loss", r.loss}, {"lr", r.lr},           {"loss_scale", r.loss_scale},
          {"reruns", r.reruns}};
}

json::Object recovery_line(std::int64_t step, const std::string& action) {
  return {{"event", "recovery"}, {"step", step}, {"action", action}};
}

json::Object epoch_line(const EpochReport& e) {
  json::Object line = {{"epoch", e.epoch},
                       {"step", e.steps.attempted},
                       {"applied", e.steps.applied},
                       {"retried", e.steps.retried},
                       {"skipped", e.steps.skipped},
                       {"split", "train"},
                       {"loss", e.train_loss},
                       {"lr", e.lr},
                       {"grad_norm", e.grad_norm},
                       {"loss_scale", e.loss_scale},
                       {"samples_per_s", e.samples_per_s}};
  if (!e.has_eval) return line;
  for (std::size_t i = 0; i < kEnumNames<MetricKind>.size(); ++i) {
    const auto kind = static_cast<MetricKind>(i);
    const MoreMetrics more = MoreMetrics::with(kind);
    const bool measured = !more.ranking && !more.calibrated;  // else where asked for
    const double value = value_of(e.eval, kind);
    if (!applies_to(kind, e.eval.classification) || !(measured || value == value)) continue;
    line.emplace_back("eval_" + std::string(name(kind)), value);
  }
  return line;
}

}  // namespace halfstep::internal
