// The ledger of a run: what became of each attempted step, and why.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/enum_names.hpp"

namespace halfstep {

// A retried step was applied too, after its backward pass was run again at a smaller loss scale.
enum class StepOutcome : std::uint8_t { applied, retried, skipped };

template <>
inline constexpr std::array<std::string_view, 3> kEnumNames<StepOutcome> = {"applied", "retried", "skipped"};

// Where the first value that is not finite was made, in the order of a step. Only a smaller loss scale helps against
// `scale` and `gradient`, and against no other.
enum class StepCause : std::uint8_t {
  none,
  data,      // the inputs, as stored
  weights,   // a weight, or its copy in the storage type
  forward,   // an activation or a logit
  loss,      // the loss of finite logits
  scale,     // a scaled gradient by an activation, beyond the storage type
  gradient,  // a scaled weight gradient, beyond fp32
  unscale    // a gradient divided by a loss scale below 1
};

template <>
inline constexpr std::array<std::string_view, 8> kEnumNames<StepCause> = {"none", "data",  "weights",  "forward",
                                                                          "loss", "scale", "gradient", "unscale"};

// "the forward pass is not finite"
std::string_view explain(StepCause cause);

// What became of a step, and by what numbers.
struct StepRecord {
  std::int64_t step = 0;     // attempted, from 1
  std::int64_t applied = 0;  // applied so far: the clock of the schedule and of Adam
  StepOutcome outcome = StepOutcome::applied;
  StepCause cause = StepCause::none;  // of a skipped step, or of the rerun
  std::vector<std::string> tensors;   // where it began, then every gradient that is not finite; empty when applied
  double loss = 0;
  double lr = 0;
  double loss_scale = 1;  // the one the outcome rests on
  double grad_norm = 0;
  int reruns = 0;  // of the backward pass
};

// All steps that were not simply applied, for one reason and one tensor.
struct LedgerEntry {
  StepOutcome outcome = StepOutcome::skipped;
  StepCause cause = StepCause::none;
  std::string tensor;
  std::int64_t steps = 0;
  std::int64_t first = 0, last = 0;                  // attempted steps
  double least_loss_scale = 0, most_loss_scale = 0;  // among them
};

// "3 steps skipped (1 to 3): scaled gradients overflow fp16 in layers.2.d, at loss scale 65536 to 16384"
std::string text(const LedgerEntry& entry);

// What became of the steps of a run, counted.
struct StepCounts {
  std::int64_t attempted = 0;
  std::int64_t applied = 0;  // retried ones included
  std::int64_t retried = 0;
  std::int64_t skipped = 0;
};

}  // namespace halfstep
