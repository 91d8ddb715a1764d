// Where a run stands.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/state.hpp"

namespace halfstep::internal {

// The only counters of a run. TrainStep advances the last three, the trainer the first two.
struct Clock {
  std::int64_t epoch = 0;      // whole passes over the rows so far
  std::size_t row = 0;         // of the epoch's order that the next step begins with
  std::int64_t attempted = 0;  // steps so far
  std::int64_t applied = 0;    // of them: those that the learning rate follows
  // Masks of dropout so far, one a step. A checkpoint of a run with --accumulate may come from a program that counted
  // one for each batch: it goes on from there.
  std::uint64_t masks = 0;
  bool operator==(const Clock&) const = default;

  void visit_state(StateVisitor& visitor) {
    visitor.value("epoch", epoch);
    visitor.value("row", row);
    visitor.value("attempted", attempted);
    visitor.value("applied", applied);
    visitor.value("parts", masks);
  }
};

}  // namespace halfstep::internal
