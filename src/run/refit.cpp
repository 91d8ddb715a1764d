#include "run/refit.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "halfstep/error.hpp"
#include "run/memory_check.hpp"
#include "run/training.hpp"

namespace halfstep::internal {
namespace {

template <class Vector>
void append(Vector& to, const Vector& more) {
  to.insert(to.end(), more.begin(), more.end());
}

void append(data::SparseRows<float>& to, const data::SparseRows<float>& more) {
  if (more.empty()) return;
  const std::uint64_t entries = to.offsets.back();
  for (std::size_t row = 1; row < more.offsets.size(); ++row) to.offsets.push_back(entries + more.offsets[row]);
  append(to.columns, more.columns);
  append(to.values, more.values);
}

TrainerConfig config_of_all(const TrainerConfig& first, std::size_t rows) {
  TrainerConfig config = first;
  config.rows = rows;
  config.keeps_best = false;
  const auto share = static_cast<double>(steps_per_epoch(epoch_plan(config))) /
                     static_cast<double>(steps_per_epoch(epoch_plan(first)));
  config.schedule.steps = std::llround(static_cast<double>(first.schedule.steps) * share);
  return config;
}

// What belongs to the first run stays its own.
Options options_of_all(const Options& first, double seconds) {
  Options options = first;
  options.early_stop = 0;
  options.metrics.clear();
  options.tensorboard.clear();
  options.report.clear();
  options.calibrate = "none";  // the meaning of its outputs is that of the first, calibrated
  if (options.time_limit > 0) options.time_limit -= seconds;
  return options;
}

// Empty where the run came to its end.
std::string run_on_all(const FirstRun& first, const TrainObserver& observer, SavedModel& saved, TrainResult& result) {
  if (first.prepared.train.file) return "the rows are read from disk (--cache none)";
  const data::Examples all = all_rows(first.prepared.train, first.prepared.validation);
  const Options options = options_of_all(first.options, result.seconds);
  if (first.options.time_limit > 0 && options.time_limit <= 0) return "--time-limit left no time for it";
  const TrainerConfig config = config_of_all(first.trainer.config(), all.rows);
  if (!fits_memory(run_shape(config, memory_of(all), first.machine.executor->threads()))) {
    return "there is not the memory for it";
  }
  StepTrainer trainer(*first.machine.kernels, *first.machine.executor, config, &all);
  if (first.begin) first.begin(trainer);
  if (observer.on_refit) observer.on_refit(static_cast<std::int64_t>(all.rows), result.best_epoch);
  const data::Examples& test = first.prepared.test;
  TrainingExtras extras;
  extras.epochs = result.best_epoch;
  Training training(options, trainer, first.meaning, nullptr, test.rows > 0 ? &test : nullptr, extras);
  const TrainResult second = training.run(observer);
  result.stopped = second.stopped;
  if (second.stopped) return "a signal ended it";
  if (!second.ended.empty()) return "it ended at the " + second.ended;
  saved.step = training.applied();
  saved.scaler = trainer.scaler().state();
  saved.tensors = trainer.model().tensors();
  result.refit_rows = static_cast<std::int64_t>(all.rows);
  result.refit_epochs = result.best_epoch;
  result.train = second.train;
  if (test.rows > 0) (result.has_test ? result.test : result.eval) = second.eval;
  return {};
}

}  // namespace

data::Examples all_rows(const data::Examples& train, const data::Examples& held_out) {
  data::Examples all = train;
  all.rows += held_out.rows;
  append(all.x, held_out.x);
  append(all.bytes, held_out.bytes);
  if (!all.sparse.empty()) append(all.sparse, held_out.sparse);
  append(all.labels, held_out.labels);
  append(all.targets, held_out.targets);
  append(all.exact_targets, held_out.exact_targets);
  append(all.weights, held_out.weights);
  return all;
}

void refit(const FirstRun& first, const TrainObserver& observer, SavedModel& saved, TrainResult& result) {
  const auto keep_first = [&](const std::string& why) {
    result.warnings.push_back("the model is that of the first run, without the rows held out: " + why);
    if (observer.on_warning) observer.on_warning(result.warnings.back());
  };
  if (result.best_epoch == 0) return keep_first("no epoch was found best");
  try {
    if (const std::string why = run_on_all(first, observer, saved, result); !why.empty()) keep_first(why);
  } catch (const Error& error) {
    if (error.status() != Status::diverged && error.status() != Status::out_of_memory) throw;
    keep_first(error.what());
  }
}

}  // namespace halfstep::internal
