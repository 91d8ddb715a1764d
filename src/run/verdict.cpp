#include "run/verdict.hpp"

#include <algorithm>

#include "amp/step_cause.hpp"
#include "halfstep/text.hpp"
#include "run/precision.hpp"

namespace halfstep::internal {
namespace {

// Skips in a row after which a run that no smaller scale can help gives up: one bad batch must not end it.
constexpr std::int64_t kHopelessSkips = 20;

std::string smaller_rate(const Options& options) { return "a smaller --lr than " + number_text(options.lr); }

// What would have avoided it.
std::string advice(StepCause cause, const GradScaler& scaler, const Options& options) {
  const bool fp16 = stores(options, Dtype::fp16);
  const std::string wider = fp16 ? ", or --precision bf16, which has fp32's range" : "";
  switch (cause) {
    case StepCause::data:
      return fp16 ? "--standardize auto, or --precision bf16, which has fp32's range" : "data without inf and NaN";
    case StepCause::scale:
    case StepCause::gradient:
      if (!scaler.dynamic() && scaler.scale() > 1) return "--loss-scale dynamic, or a smaller scale";
      if (scaler.dynamic() && scaler.scale() > 0) {
        return "--scale-min " + number_text(scaler.scale() / 65536.0) + ", " + smaller_rate(options) + wider;
      }
      return smaller_rate(options) + ", --clip-norm 1" + wider;
    case StepCause::unscale:
      return "a larger --scale-min, or " + smaller_rate(options);
    default:
      return smaller_rate(options) + ", --clip-norm 1" + wider;
  }
}

std::string place(std::int64_t step, const std::string& tensor) {
  return "step " + std::to_string(step) + (tensor.empty() ? "" : ", " + tensor);
}

std::string because(StepCause cause, double scale, const GradScaler& scaler) {
  std::string text = std::string(explain(cause)) + " at loss scale " + number_text(scale);
  if (!smaller_scale_helps(cause)) return text + ", and no loss scale can help";
  return text + (scaler.dynamic() ? ", the smallest allowed" : ", which is fixed");
}

ErrorParts too_many_skips(const LedgerEntry& most, const Ledger& ledger, const GradScaler& scaler,
                          const Options& options) {
  const auto seen = std::min<std::int64_t>(ledger.counts().attempted, Ledger::kWindow);
  return {.what = "training only pretends to learn",
          .where = place(ledger.counts().attempted, most.tensor),
          .why = number_text(100 * ledger.skip_rate()) + " % of the last " + std::to_string(seen) +
                 " steps were skipped, more than --max-skip-rate " + number_text(options.max_skip_rate) +
                 "; most often: " + std::string(explain(most.cause)),
          .kept = {},
          .hint = advice(most.cause, scaler, options)};
}

const LedgerEntry& most_skips(const Ledger& ledger) {
  const LedgerEntry* most = &ledger.entries().front();
  for (const LedgerEntry& e : ledger.entries()) {
    const bool skips = e.outcome == StepOutcome::skipped;
    if (skips && (most->outcome != StepOutcome::skipped || e.steps > most->steps)) most = &e;
  }
  return *most;
}

}  // namespace

std::optional<ErrorParts> verdict(const StepRecord& record, const Ledger& ledger, const GradScaler& scaler,
                                  const Options& options) {
  if (record.outcome != StepOutcome::skipped) return std::nullopt;
  const bool unusable = record.cause == StepCause::weights;  // skipping does not change them
  const bool hopeless = !smaller_scale_helps(record.cause) || scaler.at_minimum();
  const std::string tensor = record.tensors.empty() ? "" : record.tensors.front();
  if (unusable || (hopeless && ledger.skipped_in_a_row() >= kHopelessSkips)) {
    return ErrorParts{.what = "training diverged",
                      .where = place(record.step, tensor),
                      .why = (ledger.skipped_in_a_row() > 1
                                  ? std::to_string(ledger.skipped_in_a_row()) + " steps in a row were skipped: "
                                  : std::string()) +
                             because(record.cause, record.loss_scale, scaler),
                      .kept = {},
                      .hint = advice(record.cause, scaler, options)};
  }
  const bool enough = ledger.counts().attempted >= static_cast<std::int64_t>(Ledger::kWindow);
  if (enough && ledger.skip_rate() > options.max_skip_rate) {
    return too_many_skips(most_skips(ledger), ledger, scaler, options);
  }
  return std::nullopt;
}

std::optional<ErrorParts> final_verdict(const Ledger& ledger, const GradScaler& scaler, const Options& options) {
  const StepCounts counts = ledger.counts();
  if (counts.skipped == 0) return std::nullopt;
  if (counts.applied > 0 && !(ledger.skip_rate() > options.max_skip_rate)) return std::nullopt;
  return too_many_skips(most_skips(ledger), ledger, scaler, options);
}

}  // namespace halfstep::internal
