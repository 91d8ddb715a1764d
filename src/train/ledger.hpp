// Keeps the ledger of a run and its clocks.
#pragma once
#include <bitset>
#include <cstdint>
#include <vector>

#include "halfstep/ledger.hpp"

namespace halfstep {

class Ledger {
 public:
  void add(const StepRecord& record);

  const StepCounts& counts() const { return counts_; }
  const std::vector<LedgerEntry>& entries() const { return entries_; }  // in order of first appearance
  std::int64_t skipped_in_a_row() const { return skipped_in_a_row_; }
  // Share of skipped steps among the last kWindow attempted ones, or among all where there are fewer.
  double skip_rate() const;
  static constexpr std::size_t kWindow = 100;

 private:
  StepCounts counts_;
  std::vector<LedgerEntry> entries_;
  std::int64_t skipped_in_a_row_ = 0;
  std::bitset<kWindow> skipped_;  // a ring over attempted steps
};

}  // namespace halfstep
