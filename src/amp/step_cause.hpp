// Why a step cannot be applied, and whether the loss scale has anything to do with it.
#pragma once
#include "halfstep/ledger.hpp"

namespace halfstep::internal {

// What was finite, in the order in which a step makes its values.
struct StepFacts {
  bool data = true;
  bool weights = true;  // masters, and their copies in the storage type
  bool forward = true;
  bool loss = true;
  bool d = true;          // scaled gradients by the activations, as stored
  bool gradients = true;  // scaled weight gradients
  bool unscaled = true;   // the same times inv_scale
};

// The earliest: everything after it is a consequence.
constexpr StepCause cause_of(const StepFacts& facts) {
  if (!facts.data) return StepCause::data;
  if (!facts.weights) return StepCause::weights;
  if (!facts.forward) return StepCause::forward;
  if (!facts.loss) return StepCause::loss;
  if (!facts.d) return StepCause::scale;
  if (!facts.gradients) return StepCause::gradient;
  return facts.unscaled ? StepCause::none : StepCause::unscale;
}

// Whether the same batch could have passed at a smaller loss scale. What went wrong before the scale came into play
// cannot be scaled away.
constexpr bool smaller_scale_helps(StepCause cause) {
  return cause == StepCause::scale || cause == StepCause::gradient;
}

}  // namespace halfstep::internal
