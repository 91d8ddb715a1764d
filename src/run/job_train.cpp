// The training job: data to model file.
#include <algorithm>
#include <utility>

#include "data/data.hpp"
#include "data/preprocess.hpp"
#include "data/split.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/safe_file.hpp"
#include "run/class_weights.hpp"
#include "run/job_files.hpp"
#include "run/model_file.hpp"
#include "run/precision.hpp"
#include "run/training.hpp"

namespace halfstep {
namespace {

constexpr double kDefaultValidation = 0.1;

struct Prepared {
  data::Preprocessor preprocessor;
  data::Examples train;
  data::Examples eval;
  std::string eval_name;  // empty: nothing held out
  std::string split;
  std::size_t rows = 0;            // of the file
  std::vector<std::string> notes;  // what a user could regret
};

Prepared prepare(const std::string& path, const Options& options) {
  data::DataPair pair = data::read_train(path, options);
  const data::TargetChoice target = data::choose_target(pair.train, options);
  Prepared p;
  p.rows = pair.train.rows();
  if (pair.test && options.validation > 0) {
    throw Error(Status::invalid_argument, {.what = "both a test set and a validation share",
                                           .where = "--validation",
                                           .why = "a run reports on one held-out set",
                                           .kept = {},
                                           .hint = "leave out --validation or --test"});
  }
  if (pair.test || !options.test.empty()) {
    p.preprocessor = data::Preprocessor::fit(pair.train, target, options);
    p.notes = p.preprocessor.notes();
    if (!options.test.empty()) pair.test = data::read_test(options, p.preprocessor.recipe());
    const std::string source = pair.test->source;
    p.train = p.preprocessor.apply(std::move(pair.train), true);
    std::vector<std::string> differences;
    p.eval = p.preprocessor.apply(*std::move(pair.test), true, &differences);
    for (const std::string& text : differences) p.notes.push_back("test set: " + text);
    p.eval_name = "test";
    p.split =
        std::to_string(p.train.rows) + " rows to train, " + std::to_string(p.eval.rows) + " to test from " + source;
    return p;
  }
  const double share = options.validation > 0 ? options.validation : kDefaultValidation;
  const data::Split split = data::split_rows(target, share, options.seed);
  data::RawData train = data::take_rows(pair.train, split.train);
  data::RawData held_out = data::take_rows(pair.train, split.validation);
  pair = {};  // there is to be one copy of the data, not three
  p.preprocessor =
      data::Preprocessor::fit(train, target, options);  // nothing of the held-out rows leaks into the scaling
  p.notes = p.preprocessor.notes();
  p.train = p.preprocessor.apply(std::move(train), true);
  if (!split.validation.empty()) p.eval = p.preprocessor.apply(std::move(held_out), true);
  p.eval_name = p.eval.rows > 0 ? "validation" : "";
  p.split = std::to_string(p.train.rows) + " rows to train, " + std::to_string(p.eval.rows) +
            " held out to validate (seed " + std::to_string(options.seed) + ")";
  return p;
}

LossKind choose_loss(const Options& options, bool classify) {
  if (options.loss == "auto") return classify ? LossKind::cross_entropy : LossKind::mse;
  for (LossKind kind : {LossKind::cross_entropy, LossKind::binary_cross_entropy, LossKind::mse, LossKind::huber}) {
    if (options.loss != loss_name(kind)) continue;
    const bool for_classes = kind == LossKind::cross_entropy || kind == LossKind::binary_cross_entropy;
    if (for_classes == classify) return kind;
  }
  throw Error(Status::invalid_argument,
              {.what = "the loss does not fit the task",
               .where = "--loss " + options.loss,
               .why = classify ? "the target has classes" : "the target is a number",
               .kept = {},
               .hint = classify ? "--loss cross_entropy or binary_cross_entropy" : "--loss mse or huber"});
}

// A run never starts with a parameter it ignores; that the target is a number may have shown only now.
Problem without_cross_entropy(const Options& options, const Problem& problem) {
  if (options.label_smoothing == 0 && options.class_weights.empty()) return problem;
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = options.label_smoothing > 0 ? "--label-smoothing" : "--class-weights",
                                         .why = "only cross_entropy has it, and the target is a number",
                                         .kept = {},
                                         .hint = "--task classify"});
}

Problem problem_of(const Prepared& prepared, const Options& options) {
  const bool classify = prepared.preprocessor.task() == Task::classify;
  Problem problem;
  problem.inputs = prepared.preprocessor.features();
  problem.loss = choose_loss(options, classify);
  problem.meaning = output_meaning(prepared.preprocessor, problem.loss);
  problem.outputs = !classify || problem.meaning.single_logit ? 1 : prepared.preprocessor.classes().size();
  if (problem.loss != LossKind::cross_entropy) return without_cross_entropy(options, problem);
  problem.cross_entropy = {
      options.label_smoothing,
      class_weights(options.class_weights, prepared.preprocessor.classes(), prepared.train.labels)};
  return problem;
}

// How wide the input is shows only now.
void check_residual(const std::vector<std::size_t>& widths, const Options& options) {
  if (!options.residual || std::adjacent_find(widths.begin(), widths.end() - 1) != widths.end() - 1) return;
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = "--residual",
                                         .why = "no hidden layer is as wide as its input",
                                         .kept = {},
                                         .hint = "--hidden 128,128"});
}

std::string architecture(const std::vector<std::size_t>& widths, const Options& options) {
  std::string text;
  for (std::size_t width : widths) text += (text.empty() ? "" : "-") + std::to_string(width);
  text += " " + hidden_text(options.activation, options.norm, options.residual);
  return options.dropout == 0 ? text : text + ", dropout " + get_option(options, "dropout");
}

RunPlan make_plan(const Prepared& p, const Options& options, const Problem& problem, const Machine& machine,
                  Trainer& trainer, const std::string& path) {
  RunPlan plan;
  plan.data =
      path + ": " + std::to_string(p.rows) + " rows, " + std::to_string(p.preprocessor.features()) + " features";
  plan.target = p.preprocessor.target_description();
  plan.split = p.split;
  plan.model = architecture(model_widths(problem, options), options) + ", " +
               std::to_string(trainer.model().parameters()) + " parameters, " +
               precision_text(options.precision, trainer.model().shape().layer_dtypes);
  plan.machine = machine.description;
  plan.memory = trainer.memory();
  for (const MemoryPart& part : plan.memory) plan.memory_bytes += part.bytes;
  plan.notes = p.notes;
  return plan;
}

void save_state(const std::string& path, Trainer& trainer, std::int64_t applied, SavedModel& saved) {
  saved.step = applied;
  saved.scaler = trainer.scaler_state();
  saved.tensors = trainer.model().tensors();
  save_model(path, saved);
}

// What was kept, in words: a disk that is full must not hide why the run ended.
std::string keep_last_good(Trainer& trainer, const std::string& path, SavedModel& saved) {
  const std::int64_t applied = trainer.restore_last_good();
  if (applied == 0) return "nothing, the run had no good weights yet";
  const std::string weights = "the weights after " + std::to_string(applied) + " applied steps";
  try {
    save_state(path, trainer, applied, saved);
  } catch (const Error& error) {
    return "nothing, " + weights + " could not be saved in " + path + " (" + error.parts().why + ")";
  }
  return weights + ", in " + path;
}

// A run that diverges leaves its last good weights beside the model that it does not write.
TrainResult run_or_keep(Trainer& trainer, const TrainObserver& observer, const std::string& out, SavedModel& saved) {
  try {
    return trainer.run(observer);
  } catch (const Error& error) {
    if (error.status() != Status::diverged) throw;
    ErrorParts parts = error.parts();
    parts.kept = keep_last_good(trainer, last_good_path(out), saved) + "; " + out + " was not written";
    throw Error(Status::diverged, parts);
  }
}

}  // namespace

TrainResult train(const std::string& data, const Options& given, const TrainObserver& observer) {
  Options options = given;
  validate(options);
  options.out = model_path(options);
  check_apart(files_written(options), files_read(data, options));
  io::write_probe(options.out);  // a run of an hour must not fail at its last line
  Machine machine(options);
  const Prepared prepared = prepare(data, options);
  const Problem problem = problem_of(prepared, options);
  check_residual(model_widths(problem, options), options);
  Trainer trainer(options, problem, machine, prepared.train, prepared.eval.rows > 0 ? &prepared.eval : nullptr);
  if (observer.on_plan) observer.on_plan(make_plan(prepared, options, problem, machine, trainer, data));

  SavedModel saved = {.preprocessor = prepared.preprocessor,
                      .widths = model_widths(problem, options),
                      .activation = options.activation,
                      .norm = options.norm,
                      .residual = options.residual,
                      .loss = problem.loss,
                      .precision = options.precision,
                      .layer_dtypes = trainer.model().shape().layer_dtypes,
                      .huber_delta = options.huber_delta,
                      .cross_entropy = problem.cross_entropy,
                      .step = 0,
                      .scaler = {},
                      .isa = machine.kernels->name,
                      .math = options.math,
                      .config = config_of(options),
                      .tensors = {},
                      .digest = {}};
  TrainResult result = run_or_keep(trainer, observer, options.out, saved);
  result.eval_name = prepared.eval_name;
  save_state(options.out, trainer, result.steps.applied, saved);
  result.model = options.out;
  result.weights_digest = weights_digest(saved.tensors);
  return result;
}

}  // namespace halfstep
