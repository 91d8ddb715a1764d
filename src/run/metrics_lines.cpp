#include "run/metrics_lines.hpp"

namespace halfstep::internal {

json::Object incident_line(const StepRecord& r) {
  json::Array tensors(r.tensors.begin(), r.tensors.end());
  return {{"event", name(r.outcome)}, {"step", r.step}, {"applied", r.applied}, {"cause", name(r.cause)},
          {"tensors", tensors},       {"loss", r.loss}, {"lr", r.lr},           {"loss_scale", r.loss_scale},
          {"reruns", r.reruns}};
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
  line.emplace_back("eval_loss", e.eval.loss);
  if (e.eval.classification) {
    line.emplace_back("eval_accuracy", e.eval.accuracy);
  } else {
    line.emplace_back("eval_rmse", e.eval.rmse);
    line.emplace_back("eval_r2", e.eval.r2);
  }
  return line;
}

}  // namespace halfstep::internal
