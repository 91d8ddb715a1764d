// Keeps the ledger of a run: what was skipped and retried.
#pragma once
#include <bitset>
#include <cstdint>
#include <vector>

#include "base/state.hpp"
#include "halfstep/ledger.hpp"

namespace halfstep::internal {

void visit_entry(LedgerEntry& entry, StateVisitor& visitor);

class Ledger {
 public:
  // Records of every attempted step, one after the other.
  void add(const StepRecord& record);

  // As of the last record.
  StepCounts counts() const { return {attempted_, attempted_ - skipped_, retried_, skipped_}; }
  const std::vector<LedgerEntry>& entries() const { return entries_; }  // in order of first appearance
  std::int64_t skipped_in_a_row() const { return skipped_in_a_row_; }
  // Share of skipped steps among the last kWindow attempted ones, or among all where there are fewer.
  double skip_rate() const;
  void visit_state(StateVisitor& visitor);
  static constexpr std::size_t kWindow = 100;

 private:
  std::int64_t attempted_ = 0, retried_ = 0, skipped_ = 0;
  std::vector<LedgerEntry> entries_;
  std::int64_t skipped_in_a_row_ = 0;
  std::bitset<kWindow> skipped_in_window_;  // a ring over attempted steps
};

}  // namespace halfstep::internal
