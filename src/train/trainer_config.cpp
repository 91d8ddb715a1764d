#include "train/trainer_config.hpp"

#include "train/network_of.hpp"

namespace halfstep::internal {

EpochPlan epoch_plan(const TrainerConfig& c) { return plan_epoch(c.rows, c.batch, c.accumulate, c.model.norm); }

RunShape run_shape(const TrainerConfig& config, std::size_t examples, int threads) {
  validate(config.model);
  const std::size_t max_rows = config.rows == 0 ? config.batch : epoch_plan(config).batch_rows;
  return {.model = network_of(config.model, {.max_rows = max_rows,
                                             .training = true,
                                             .master = config.optimizer.master == MasterKind::fp32,
                                             .mask_seed = config.seed}),
          .optimizer = config.optimizer,
          .meters = config.meter_every > 0,
          .keeps_best = config.keeps_best,
          .averages = config.averages,
          .examples = examples,
          .threads = threads};
}

}  // namespace halfstep::internal
