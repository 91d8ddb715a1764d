// What the doctor finds in a file: a step that went non-finite, the metrics of a run, or a model.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/incident.hpp"
#include "halfstep/ledger.hpp"
#include "halfstep/meters.hpp"
#include "halfstep/options.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

// The step of a capsule, run again in one precision.
struct ReplayRun {
  std::string precision;  // "fp16", or "fp16, 2=bf16"
  bool recorded = false;  // as the run had it
  bool finite = false;
  StepCause cause = StepCause::none;
  std::string tensor;  // where it went non-finite
  double loss = 0;
  double grad_norm = 0;  // unscaled
};

// A tensor of the step in each of the runs.
struct ReplayTensor {
  std::string tensor;
  double largest = 0;  // magnitude in fp32
  // Of each run: norm of the difference from fp32 over the norm in fp32; infinite where a value is not finite.
  std::vector<double> differences;
};

// A step, run again.
struct Replay {
  std::string isa;  // that ran it
  int threads = 0;
  bool same_bits = false;             // every activation and gradient of the recorded precision is as the run had it
  std::vector<ReplayRun> runs;        // as recorded, then fp32, bf16 and fp16
  std::vector<ReplayTensor> tensors;  // in the order in which a step makes them
  std::string first_different;        // tensor of the recorded precision that is far from fp32; empty: none is
};

// The least that would have saved the step, found by running it again.
struct Bisection {
  std::vector<LayerPrecision> lift;  // the smallest set of layers that was found; empty: none helps, or none is needed
  bool lift_helps = false;
  double loss_scale = 0;  // the largest at which the step is finite; 0: there is none, or it is not a matter of scale
  int replays = 0;        // that it took
  std::string text;       // in one sentence, with the flags
};

// The gradient of one row of a step, without the others: exact for dense layers, whose weight gradient has the norm of
// the row's input times that of the gradient by its pre-activation (Goodfellow, 2015, arXiv:1510.01799).
struct RowGradient {
  std::int64_t row = 0;       // of the step
  std::int64_t example = -1;  // of the set
  std::string place;          // "line 17"
  double norm = 0;            // unscaled, over all weights and biases; infinite where it does not fit
  double share = 0;           // of the sum of all rows' squares
};

// What the doctor says of a file.
struct Diagnosis {
  std::string kind;                   // "capsule", "metrics" or "model"
  std::vector<std::string> findings;  // sentences, the worst first; each says what to do
  bool healthy = true;                // none of them is a fault

  // Of a capsule.
  Incident incident;
  Replay replay;
  Bisection bisection;
  std::vector<RowGradient> rows;  // with the largest gradients, largest first
  bool rows_are_exact = true;     // BatchNorm mixes rows: then they are a hint

  MeterReport meters;  // of a capsule: values before rounding; of metrics: the last reading; of a model: its weights
};

// Reads a capsule, a metrics file or a model. Of `options` count threads, isa and math. Throws Error(io, format,
// unsupported) where it is none of them.
Diagnosis diagnose(const std::string& file, const Options& options);

// The step of a capsule, run again. Throws likewise.
Replay replay(const std::string& capsule, const Options& options);

}  // namespace halfstep
