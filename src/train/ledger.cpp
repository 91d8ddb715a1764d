#include "train/ledger.hpp"

#include <algorithm>

#include "halfstep/text.hpp"

namespace halfstep {

std::string_view name(StepOutcome outcome) {
  constexpr std::string_view kNames[] = {"applied", "retried", "skipped"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name(StepCause cause) {
  constexpr std::string_view kNames[] = {"none", "data", "weights", "forward", "loss", "scale", "gradient", "unscale"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::string_view explain(StepCause cause) {
  constexpr std::string_view kTexts[] = {
      "nothing is wrong",
      "an input is non-finite in the storage type",
      "a weight is non-finite in the storage type",
      "the forward pass is non-finite",
      "the loss is non-finite",
      "a scaled gradient is non-finite in the storage type",
      "a weight gradient is non-finite in fp32",
      "a gradient leaves fp32 once the loss scale is divided out, or is too large to be clipped"};
  return kTexts[static_cast<std::size_t>(cause)];
}

std::string text(const LedgerEntry& e) {
  std::string out = std::to_string(e.steps) + (e.steps == 1 ? " step " : " steps ") + std::string(name(e.outcome));
  out +=
      " (" + (e.first == e.last ? std::to_string(e.first) : std::to_string(e.first) + " to " + std::to_string(e.last));
  out += "): " + std::string(explain(e.cause)) + (e.tensor.empty() ? "" : ", first in " + e.tensor);
  out += ", at loss scale " + number_text(e.most_loss_scale);
  return e.least_loss_scale == e.most_loss_scale ? out : out + " to " + number_text(e.least_loss_scale);
}

void Ledger::add(const StepRecord& record) {
  const bool skipped = record.outcome == StepOutcome::skipped;
  skipped_[static_cast<std::size_t>(counts_.attempted) % kWindow] = skipped;
  ++counts_.attempted;
  ++(skipped ? counts_.skipped : counts_.applied);
  if (record.outcome == StepOutcome::retried) ++counts_.retried;
  skipped_in_a_row_ = skipped ? skipped_in_a_row_ + 1 : 0;
  if (record.outcome == StepOutcome::applied) return;

  const std::string tensor = record.tensors.empty() ? "" : record.tensors.front();
  auto same = [&](const LedgerEntry& e) {
    return e.outcome == record.outcome && e.cause == record.cause && e.tensor == tensor;
  };
  auto entry = std::find_if(entries_.begin(), entries_.end(), same);
  if (entry == entries_.end()) {
    entries_.push_back({record.outcome, record.cause, tensor, 0, record.step, 0, record.loss_scale, record.loss_scale});
    entry = entries_.end() - 1;
  }
  ++entry->steps;
  entry->last = record.step;
  entry->least_loss_scale = std::min(entry->least_loss_scale, record.loss_scale);
  entry->most_loss_scale = std::max(entry->most_loss_scale, record.loss_scale);
}

double Ledger::skip_rate() const {
  const auto seen = std::min<std::int64_t>(counts_.attempted, kWindow);
  return seen == 0 ? 0 : static_cast<double>(skipped_.count()) / static_cast<double>(seen);
}

}  // namespace halfstep
