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
  std::uint64_t parts = 0;     // of these steps: dropout's masks follow from it
  bool operator==(const Clock&) const = default;

  void visit_state(StateVisitor& visitor) {
    visitor.value("epoch", epoch);
    visitor.value("row", row);
    visitor.value("attempted", attempted);
    visitor.value("applied", applied);
    visitor.value("parts", parts);
  }
};

}  // namespace halfstep::internal
