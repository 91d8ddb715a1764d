#include "train/trainer_config.hpp"

#include "gemm/layout.hpp"
#include "train/network_of.hpp"
#include "train/rows_together.hpp"

namespace halfstep::internal {

namespace {

// Rows that the network gets memory for, if they are not too many to pass through it together.
std::size_t most_rows(const TrainerConfig& config) {
  const EpochPlan plan = epoch_plan(config);
  const bool callers = config.rows == 0;
  // BatchNorm takes its statistics over a batch, not over all batches of a step.
  if (config.model.norm == Norm::batch) return callers ? config.batch : plan.batch_rows;
  // A caller's step may have more rows than that: parts have to be whole chunks.
  return callers ? round_up(config.batch, kRowsGrain) : plan.step_rows;
}

}  // namespace

EpochPlan epoch_plan(const TrainerConfig& c) { return plan_epoch(c.rows, c.batch, c.accumulate, c.model.norm); }

RunShape run_shape(const TrainerConfig& config, std::size_t examples, int threads) {
  validate(config.model);
  NetworkShape model = network_of(config.model, {.max_rows = 0,
                                                 .training = true,
                                                 .master = config.optimizer.master == MasterKind::fp32,
                                                 .mask_seed = config.seed});
  model.max_rows = rows_together(model, most_rows(config), threads);
  return {.model = std::move(model),
          .optimizer = config.optimizer,
          .meters = config.meter_every > 0,
          .keeps_best = config.keeps_best,
          .averages = config.averages,
          .examples = examples,
          .threads = threads};
}

}  // namespace halfstep::internal
