#include "run/trainer_options.hpp"

#include "run/scaling.hpp"

namespace halfstep::internal {
namespace {

OptimizerOptions optimizer_options(const Options& o) {
  return {o.optimizer,    o.momentum, o.nesterov, o.beta1, o.beta2,        o.epsilon,
          o.weight_decay, o.moments,  o.master,   o.seed,  o.muon_momentum};
}

}  // namespace

TrainerConfig trainer_config(const Options& options, const ModelSpec& spec, std::size_t rows) {
  TrainerConfig config = {
      .model = spec,
      .optimizer = optimizer_options(options),
      .embedding_rate = options.embedding_lr,
      .scaler = scaler_options(options),
      .headroom = options.loss_scale == "headroom",
      .clip = {options.clip_norm, options.clip_value},
      .rows = rows,
      .batch = static_cast<std::size_t>(options.batch),
      .accumulate = static_cast<std::size_t>(options.accumulate),
      .schedule = {},
      .seed = options.seed,
      .meter_every = options.meter_every,
      .keeps_best = options.early_stop > 0 || !options.checkpoint_dir.empty() || !options.resume.empty(),
      .averages = options.ema > 0 || options.average_epochs > 0};
  config.schedule = {.kind = from_name<ScheduleKind>(options.schedule).value(),
                     .lr = options.lr,
                     .warmup = options.warmup,
                     .steps = run_length(options, config).steps,
                     .decay = options.decay,
                     .decays = options.decays};
  return config;
}

RunLength run_length(const Options& options, const TrainerConfig& config) {
  if (config.rows == 0) return {0, options.steps};  // the caller's batches: there are no epochs
  return run_length(epoch_plan(config), options.epochs, options.steps);
}

}  // namespace halfstep::internal
