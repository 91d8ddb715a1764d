// Why a step went non-finite: where the first such value was made, from what numbers, and what would have avoided it.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/enum_names.hpp"
#include "halfstep/ledger.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

// What is to blame, which is seldom where the value was found: a row may overflow five layers above its input.
enum class IncidentReason : std::uint8_t {
  unknown,
  bad_input,       // a number of a row is not finite, or far beyond those of the other rows
  bad_target,      // likewise a target
  bad_weights,     // weights were not finite, or far too large, before training changed them
  learning_rate,   // weights grew with the updates
  range,           // numbers that are large for the storage type, made layer by layer from sound ones
  loss_scale,      // a gradient that would fit at a smaller loss scale
  gradient,        // a gradient that does not fit at any
  vanished,        // no step was withheld, but layers do not learn: every value of a gradient is zero
  small_variance,  // a norm divided by the deviation of values that are nearly all alike
  unscale          // a gradient divided by a loss scale below 1
};

template <>
inline constexpr std::array<std::string_view, 11> kEnumNames<IncidentReason> = {
    "unknown",    "bad_input", "bad_target", "bad_weights",    "learning_rate", "range",
    "loss_scale", "gradient",  "vanished",   "small_variance", "unscale"};

// A step in numbers.
struct StepFigures {
  std::int64_t step = 0;  // attempted, from 1
  StepOutcome outcome = StepOutcome::applied;
  double loss = 0;
  double grad_norm = 0;  // unscaled, before clipping
  double loss_scale = 1;
  double lr = 0;
};

// A number of a row of the data.
struct DataValue {
  std::int64_t column = -1;  // input or output of the network, from 0; -1: there is none
  std::string name;          // of the column of the table; empty: unknown
  double value = 0;          // as the network got it
  double raw = 0;            // as the file had it, to fp32's precision; the same where nothing was standardised
};

// A step that changed no weight, explained. Rows and columns count from 0.
struct Incident {
  std::int64_t step = 0;     // attempted, from 1
  std::int64_t applied = 0;  // steps before it that changed the weights
  std::int64_t epoch = 0;    // from 1; 0: the batches are the caller's
  std::int64_t batch = 0;    // of the epoch, from 1; 0: likewise
  StepCause cause = StepCause::none;
  IncidentReason reason = IncidentReason::unknown;

  // The first value that is not finite, in the order in which a step makes its values.
  std::string tensor;     // "layers.2.output", "input", "layers.0.weight", "loss"
  std::string operation;  // that made it: "product", "norm", "gate", "skip", "rounding", "loss"
  std::int64_t row = -1;  // element of the tensor; -1: it has no rows, or none is known
  std::int64_t column = -1;
  std::int64_t batch_row = -1;  // row of the step that it belongs to, or that adds most to it; -1: none
  std::int64_t count = 0;       // values of the tensor that are not finite
  Dtype storage = Dtype::fp32;  // of the tensor
  double value = 0;             // before it was rounded to that; NaN: it was never a number
  double limit = 0;             // the largest number of that type

  // Of a gradient.
  double loss_scale = 1;     // of the step
  double fitting_scale = 0;  // the largest power of two at which the value fits; 0: none, or it is no gradient

  // The row of the data that it belongs to; that to blame where the tensor is a weight gradient.
  std::int64_t example = -1;  // of the set; -1: no row is known
  std::string place;          // "line 17"; empty: unknown
  DataValue input;            // its number that is to blame
  DataValue target;           // likewise

  std::vector<StepFigures> recent;  // the last steps, this one included, oldest first
  std::string why;                  // the reason in one sentence, with its numbers
  std::string advice;               // what would have avoided it, as flags of `halfstep train`
  // What became of the steps that led there when they were made again at a smaller rate, or with a clip; empty: they
  // were not.
  std::string tried;
  std::string capsule;  // file that the step can be replayed from; empty: none was written
};

// "step 3 (epoch 1, batch 3): layers.0.output is not finite: ..." and the lines below it, each with a line end.
std::string text(const Incident& incident);

}  // namespace halfstep
