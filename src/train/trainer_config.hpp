// All that a training run is made from, in numbers.
#pragma once
#include <cstddef>
#include <cstdint>

#include "amp/grad_scaler.hpp"
#include "amp/gradient_pass.hpp"
#include "halfstep/model_spec.hpp"
#include "halfstep/optimizer.hpp"
#include "optim/schedule.hpp"
#include "train/epoch_plan.hpp"
#include "train/memory_plan.hpp"

namespace halfstep::internal {

struct TrainerConfig {
  ModelSpec model;
  OptimizerOptions optimizer;
  double embedding_rate = 1;  // what the rate of the embedding is multiplied by
  GradScalerOptions scaler;
  bool headroom = false;  // the loss scale fits the largest gradient of each batch, see Headroom
  ClipOptions clip;
  std::size_t rows = 0;          // of the examples that it goes through; 0: all batches are the caller's
  std::size_t batch = 64;        // rows, at least 1: those that BatchNorm takes its statistics over
  std::size_t accumulate = 1;    // batches of a step
  Schedule schedule;             // its steps are those of the run
  std::uint64_t seed = 0;        // of weights, dropout's masks and the order of the rows
  std::int64_t meter_every = 0;  // steps between two readings of the meters; 0: off
  bool keeps_best = false;       // there is memory for the best weights of the run
  bool averages = false;         // there is memory for an average of the weights
};

// How the examples of such a run are cut into steps.
EpochPlan epoch_plan(const TrainerConfig& config);

// What its memory follows from. `examples`: bytes that they hold already. Throws Error(invalid_argument) where there is
// no such model.
RunShape run_shape(const TrainerConfig& config, std::size_t examples, int threads);

}  // namespace halfstep::internal
