// Whether a smaller rate or a clip would have done: the steps that led to one that was not finite, made again.
#pragma once
#include <cstdint>
#include <string>

#include "data/examples.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

struct TrialBounds {
  std::int64_t steps = 1024;  // of all trials together
  double seconds = 10;
};

// Of the last step that `trainer` attempted, which was not finite or left weights that are not. On networks of their
// own: first as they were, from the run's begin (`from_seed`: its weights were those of the seed) or else from its last
// good weights, with an optimizer that has seen no step; then at a tenth of the rate and less, and with --clip-norm at
// a norm that was recorded. What became of them in a sentence, with the flags; empty: the steps cannot be made again,
// or do not go wrong then.
std::string try_steps(StepTrainer& trainer, const data::Examples& set, bool from_seed, const TrialBounds& bounds = {});

}  // namespace halfstep::internal
