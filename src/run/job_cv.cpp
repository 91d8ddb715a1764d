// Cross-validation: a model for each part of the rows, judged by it.
#include <utility>

#include "data/folds.hpp"
#include "data/hold_out.hpp"
#include "data/take.hpp"
#include "data/target_columns.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "run/machine.hpp"
#include "run/memory_check.hpp"
#include "run/output_meaning.hpp"
#include "run/prepare.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"
#include "run/training.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr int kMostFolds = 1000;

[[noreturn]] void refuse(const char* what, const char* where, std::string why, const char* hint) {
  throw Error(Status::invalid_argument,
              {.what = what, .where = where, .why = std::move(why), .kept = {}, .hint = hint});
}

// A run never starts with a parameter that it ignores.
void check(int folds, const Options& options) {
  if (folds < 2 || folds > kMostFolds) {
    refuse("no such number of folds", "--folds", "it is from 2 to " + std::to_string(kMostFolds), "--folds 5");
  }
  if (!options.test.empty()) refuse("a cross-validation has no test set", "--test", "each part is one", "leave it out");
  if (!options.out.empty()) refuse("a cross-validation writes no model", "--out", "it makes several", "halfstep train");
  if (!options.metrics.empty()) refuse("a cross-validation has no metrics file", "--metrics", "", "leave it out");
  if (!options.tensorboard.empty()) refuse("a cross-validation has no events", "--tensorboard", "", "leave it out");
  if (!options.checkpoint_dir.empty() || !options.resume.empty()) {
    refuse("a cross-validation has no checkpoints", "--checkpoint-dir, --resume", "it makes several models",
           "leave it out");
  }
  if (!options.init_from.empty()) refuse("a cross-validation starts from nothing", "--init-from", "", "leave it out");
  if (options.capsule != "auto" || options.on_nonfinite != "skip") {
    refuse("a cross-validation keeps no steps and mends no run", "--capsule, --on-nonfinite", "it makes several models",
           "halfstep train");
  }
  if (options.refit) refuse("a cross-validation has no model to refit", "--refit", "", "leave it out");
  if (options.bag > 1)
    refuse("a cross-validation is of one network a fold", "--bag", "it makes several models", "leave it out");
  if (!options.report.empty()) refuse("a cross-validation has no report", "--report", "", "leave it out");
  if (options.validation > 0 && !steers_by_held_out(options)) {
    refuse("nothing goes by a validation part", "--validation", "each fold is judged by its own part",
           "leave it out, or --early-stop");
  }
}

// The rows to train on, without those that the run goes by.
data::Split inner_split(const Source& source, const data::Split& fold, const Options& options) {
  if (!steers_by_held_out(options)) return {fold.train, {}};
  return data::hold_out(source.pair.train, data::with_rows(source.target, fold.train), held_out_share(options, false),
                        options);
}

Fold run_fold(const Source& source, const data::Split& fold, const Machine& machine, const Options& options,
              const TrainObserver& observer, CrossValidation& out) {
  const data::Split split = inner_split(source, fold, options);
  Prepared p = prepare_parts(source, source.take(split.train), split, source.take(split.validation));
  p.test = p.preprocessor.apply(source.take(fold.validation), true);
  p.test.weights = data::take(source.weights, 1, fold.validation);
  const ModelSpec spec = spec_of(p, options);
  const OutputMeaning meaning = output_meaning(p.preprocessor, spec.loss);
  const TrainerConfig config = trainer_config(options, spec, p.train.rows);
  const std::size_t bytes = memory_of(p.train) + memory_of(p.validation) + memory_of(p.test);
  check_memory(run_shape(config, bytes, machine.executor->threads()));
  StepTrainer trainer(*machine.kernels, *machine.executor, config, &p.train);
  Training training(options, trainer, meaning, p.validation.rows > 0 ? &p.validation : nullptr, &p.test);
  const TrainResult result = training.run(observer);
  if (out.folds.empty()) out.notes = p.notes;
  out.metric = result.metric;
  out.classification = meaning.classification;
  if (!meaning.classification) out.targets = data::target_names(p.preprocessor.targets());
  return {.train_rows = static_cast<std::int64_t>(p.train.rows),
          .held_out = result.has_test ? result.test : result.eval,
          .best_epoch = result.best_epoch};
}

}  // namespace

CrossValidation cross_validate(const std::string& data, int folds, const Options& given, const FoldObserver& observer) {
  validate(given);
  check(folds, given);
  Options options = given;
  const Machine machine(options);
  Source source(data, options, {machine.executor.get()});
  if (source.pair.test) {
    refuse("a cross-validation has no test set", data.c_str(), "this data has one",
           "its training part alone: the path of that file, or an archive without x_test and y_test");
  }
  source.settle(options);
  options.bag = 1;  // of its own models
  CrossValidation out;
  out.how = data::hold_out_text(options);
  bool stopped = false;
  TrainObserver of_steps;
  of_steps.should_stop = [&] { return stopped = observer.should_stop && observer.should_stop(); };
  for (const data::Split& fold :
       data::folds_of(source.pair.train, source.target, static_cast<std::size_t>(folds), options)) {
    Fold done = run_fold(source, fold, machine, options, of_steps, out);
    if (stopped) break;
    out.folds.push_back(std::move(done));
    if (observer.on_fold) observer.on_fold(out);
  }
  return out;
}

}  // namespace halfstep
