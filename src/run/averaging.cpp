#include "run/averaging.hpp"

#include <algorithm>

#include "run/trainer_options.hpp"

namespace halfstep::internal {
namespace {

constexpr int kEvery = 10;  // steps: adding to the average is a pass over the weights

// Of kEvery steps' worth of weights in the average after `applied` steps. Young averages forget faster, as TensorFlow's
// ExponentialMovingAverage has it with num_updates: the first weights are those of chance.
float share(double decay, std::int64_t applied) {
  const auto t = static_cast<double>(applied);
  const double kept = std::min(decay, (1 + t) / (10 + t));
  double left = 1;
  for (int i = 0; i < kEvery; ++i) left *= kept;
  return static_cast<float>(1 - left);
}

std::int64_t epochs_of(const Options& options, const TrainerConfig& config) {
  const RunLength length = run_length(options, config);
  const std::int64_t in_one = steps_per_epoch(epoch_plan(config));
  return length.epochs > 0 ? length.epochs : (length.steps + in_one - 1) / in_one;
}

}  // namespace

Averaging::Averaging(const Options& options, StepTrainer& trainer) : trainer_(trainer), ema_(options.ema) {
  if (options.average_epochs == 0) return;
  first_epoch_ = std::max<std::int64_t>(epochs_of(options, trainer.config()) - options.average_epochs, 0) + 1;
}

void Averaging::after_applied_step() {
  const std::int64_t applied = trainer_.clock().applied;
  if (ema_ > 0 && (applied == 1 || applied % kEvery == 0)) trainer_.add_to_average(share(ema_, applied));
}

void Averaging::after_epoch(std::int64_t epoch) {
  if (!first_epoch_ || epoch < *first_epoch_) return;
  trainer_.add_to_average(1 / static_cast<float>(trainer_.averaged() + 1));
}

void Averaging::settle() {
  if (trainer_.averaged() > 0) trainer_.exchange_average();
}

}  // namespace halfstep::internal
