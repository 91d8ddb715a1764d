#include "train/ledger.hpp"

#include <algorithm>

namespace halfstep::internal {

void Ledger::add(const StepRecord& record) {
  const bool skipped = record.outcome == StepOutcome::skipped;
  skipped_in_window_[static_cast<std::size_t>(record.step) % kWindow] = skipped;
  attempted_ = record.step;
  if (skipped) ++skipped_;
  if (record.outcome == StepOutcome::retried) ++retried_;
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
  const auto seen = std::min<std::int64_t>(attempted_, kWindow);
  return seen == 0 ? 0 : static_cast<double>(skipped_in_window_.count()) / static_cast<double>(seen);
}

void visit_entry(LedgerEntry& e, StateVisitor& visitor) {
  visitor.value("outcome", e.outcome, static_cast<std::int64_t>(StepOutcome::skipped) + 1);
  visitor.value("cause", e.cause, static_cast<std::int64_t>(StepCause::unscale) + 1);
  visitor.text("tensor", e.tensor);
  visitor.value("steps", e.steps);
  visitor.value("first", e.first);
  visitor.value("last", e.last);
  visitor.number("least_loss_scale", e.least_loss_scale);
  visitor.number("most_loss_scale", e.most_loss_scale);
}

void Ledger::visit_state(StateVisitor& visitor) {
  visitor.value("attempted", attempted_);
  visitor.value("retried", retried_);
  visitor.value("skipped", skipped_);
  visitor.value("skipped_in_a_row", skipped_in_a_row_);
  std::string window = skipped_in_window_.to_string();
  visitor.text("skipped_in_window", window);
  if (visitor.loads_scalars()) {
    const bool bits = window.size() == kWindow && window.find_first_not_of("01") == std::string::npos;
    if (!bits) visitor.out_of_range("skipped_in_window");
    skipped_in_window_ = std::bitset<kWindow>(window);
    if (skipped_ > attempted_) visitor.out_of_range("skipped");
  }
  visitor.list("entries", entries_, [&](LedgerEntry& e) { visit_entry(e, visitor); });
}

}  // namespace halfstep::internal
