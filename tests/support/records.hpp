// Records of steps, for tests of those who read them.
#pragma once
#include "halfstep/ledger.hpp"

namespace halfstep::test {

inline StepRecord record(std::int64_t step, StepOutcome outcome, StepCause cause = StepCause::none, double scale = 1024,
                         const char* tensor = "layers.1.d") {
  StepRecord r;
  r.step = step;
  r.outcome = outcome;
  r.cause = cause;
  if (cause != StepCause::none) r.tensors = {tensor};
  r.loss_scale = scale;
  return r;
}

}  // namespace halfstep::test
