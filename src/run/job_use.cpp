// Jobs on a trained model: evaluate, predict.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <list>

#include "data/data.hpp"
#include "data/target_columns.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"
#include "run/class_probabilities.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/model_text.hpp"
#include "run/non_finite.hpp"
#include "run/output_meaning.hpp"
#include "run/read_text.hpp"
#include "run/target_value.hpp"
#include "train/inference.hpp"
#include "train/network_of.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kBatch = 512;

// A model ready for forward passes, in the precision it was trained in.
struct Loaded {
  Loaded(const SavedModel& saved, const Machine& machine, std::size_t rows)
      : machine(machine),
        context(*machine.kernels, *machine.executor),
        networks(networks_of(saved, {.max_rows = std::min(kBatch, std::max<std::size_t>(rows, 1))}, *machine.kernels)),
        model(networks) {}
  const Machine& machine;
  GemmContext context;
  std::list<Network> networks;
  Networks model;
};

void add_class(const KernelTable& kernels, const SavedModel& saved, const OutputMeaning& meaning, const float* logits,
               Predictions& out) {
  const std::size_t classes = saved.preprocessor.classes().size();
  const std::size_t columns = saved.spec.widths.back();
  if (!is_finite_output(logits, columns)) {
    out.values.insert(out.values.end(), classes, std::numeric_limits<double>::quiet_NaN());
    out.predicted.emplace_back();
    return;
  }
  std::vector<float> probabilities(pad_columns(columns));
  class_probabilities(kernels, saved.spec.loss, columns, logits, probabilities.data());
  if (meaning.single_logit) probabilities = {1 - probabilities[0], probabilities[0]};
  out.values.insert(out.values.end(), probabilities.begin(),
                    probabilities.begin() + static_cast<std::ptrdiff_t>(classes));
  out.predicted.push_back(saved.preprocessor.classes()[predicted_class(logits, columns, meaning.single_logit)]);
}

// Reads by what the model knows of its table.
template <class Result>
data::Examples read_examples(const SavedModel& saved, const std::string& path, const Options& options,
                             const Machine& machine, bool need_targets, Result& result) {
  const data::Preprocessor& preprocessor = saved.preprocessor;
  data::RawData raw = data::read_data(path, options, &preprocessor.recipe(), {machine.executor.get()});
  add_read(raw, result.reads);
  return preprocessor.apply(std::move(raw), need_targets, &result.notes);
}

// What a file holds for people is a value a row, or several that have names.
SavedModel load_for_rows(const std::string& path) {
  SavedModel saved = load_model(path);
  const std::size_t outputs = saved.spec.widths.back();
  const data::Preprocessor& p = saved.preprocessor;
  if (p.task() == Task::classify || outputs == 1 || !p.recipe().is_matrix) return saved;
  throw Error(Status::unsupported, {.what = "cannot use this model on a file",
                                    .where = path,
                                    .why = "it predicts " + std::to_string(outputs) + " values without names",
                                    .kept = {},
                                    .hint = "the library's Predictor"});
}

// Of several targets all or none: a row that is finite in part has no values.
void add_values(const OutputMeaning& meaning, const float* outputs, Predictions& out) {
  const std::size_t targets = meaning.targets.size();
  const bool finite = targets == 1 || is_finite_output(outputs, targets);
  std::string text;
  for (std::size_t t = 0; t < targets; ++t) {
    const double value = finite ? target_value(outputs[t], meaning.targets[t].mean, meaning.targets[t].scale)
                                : std::numeric_limits<double>::quiet_NaN();
    out.values.push_back(value);
    text += (t > 0 ? "," : "") + number_text(value);
  }
  out.predicted.push_back(std::move(text));
}

// Of each target, at this level.
std::vector<double> interval_scores(const SavedModel& saved, const std::string& path, double level) {
  const auto refuse = [&](Status status, std::string why, std::string hint) {
    throw Error(status, {.what = "the model has no such intervals",
                         .where = path,
                         .why = std::move(why),
                         .kept = {},
                         .hint = std::move(hint)});
  };
  if (!(level > 0 && level < 1)) {
    refuse(Status::invalid_argument, number_text(level) + " is no share of rows", "--intervals 0.9");
  }
  if (saved.preprocessor.task() == Task::classify) {
    refuse(Status::unsupported, "it is a classifier", "the probabilities that it predicts");
  }
  const Intervals& intervals = saved.held_out.intervals;
  if (!intervals.any()) {
    refuse(Status::unsupported, "no rows were held out of its training, or it is of an earlier version",
           "train it with --validation 0.1");
  }
  std::vector<double> scores;
  for (const TargetIntervals& target : intervals.targets) {
    const std::optional<double> score = target.score(level);
    if (!score) {
      refuse(Status::unsupported,
             std::to_string(intervals.rows) + " rows held out of its training say nothing about " + number_text(level),
             "--intervals " + short_number(std::floor(intervals.most() * 100) / 100, 2) + " or less");
    }
    scores.push_back(*score);
  }
  return scores;
}

void add_ends(const SavedModel& saved, const OutputMeaning& meaning, const std::vector<double>& scores,
              const float* outputs, const double* spread, Predictions& out) {
  const bool finite = is_finite_output(outputs, scores.size());
  for (std::size_t t = 0; t < scores.size(); ++t) {
    const double half = scores[t] * saved.held_out.intervals.targets[t].unit(spread[t]);
    const auto end = [&](double side) {
      const TargetUnits& units = meaning.targets[t];
      const double output = static_cast<double>(outputs[t]) + side * half;
      return finite ? target_value(static_cast<float>(output), units.mean, units.scale)
                    : std::numeric_limits<double>::quiet_NaN();
    };
    out.lower.push_back(end(-1));
    out.upper.push_back(end(1));
  }
}

}  // namespace

Evaluation evaluate(const std::string& model, const std::string& data, const Options& options) {
  const SavedModel saved = load_for_rows(model);
  const Machine machine(options);
  Evaluation out;
  const data::Examples examples = read_examples(saved, data, options, machine, true, out);
  Loaded loaded(saved, machine, examples.rows);
  const auto loss = loss_of(saved.spec);
  out.metrics = measure(loaded.context, loaded.model, examples, *loss, output_meaning(saved), MoreMetrics::all());
  if (out.metrics.classification) out.classes = saved.preprocessor.classes();
  if (!out.metrics.classification) out.targets = data::target_names(saved.preprocessor.targets());
  const Metrics& m = out.metrics;
  if (m.non_finite > 0) {
    out.warnings.push_back(non_finite_warning(saved, m.non_finite, m.rows));
  } else if (std::string warning = bad_weights_warning(saved); !warning.empty()) {
    out.warnings.push_back(std::move(warning));
  }
  return out;
}

Predictions predict(const std::string& model, const std::string& data, const Options& options, double intervals) {
  const SavedModel saved = load_for_rows(model);
  const std::vector<double> scores = intervals != 0 ? interval_scores(saved, model, intervals) : std::vector<double>();
  const Machine machine(options);
  Predictions out;
  const data::Examples examples = read_examples(saved, data, options, machine, false, out);
  Loaded loaded(saved, machine, examples.rows);
  const OutputMeaning meaning = output_meaning(saved);
  out.classification = meaning.classification;
  if (meaning.classification) out.classes = saved.preprocessor.classes();
  if (!meaning.classification) out.targets = data::target_names(saved.preprocessor.targets());
  const auto add = [&](std::size_t row, const float* logits, const double* spread) {
    if (meaning.classification) add_class(*loaded.machine.kernels, saved, meaning, logits, out);
    if (!meaning.classification) add_values(meaning, logits, out);
    if (!scores.empty()) add_ends(saved, meaning, scores, logits, spread, out);
    if (!is_finite_output(logits, saved.spec.widths.back())) out.non_finite.push_back(static_cast<std::int64_t>(row));
  };
  for_each_row(loaded.context, loaded.model, examples, meaning, add);
  if (!out.non_finite.empty()) {
    out.warnings.push_back(
        non_finite_warning(saved, std::ssize(out.non_finite), std::ssize(out.predicted), out.non_finite));
  } else if (std::string warning = bad_weights_warning(saved); !warning.empty()) {
    out.warnings.push_back(std::move(warning));
  }
  return out;
}

}  // namespace halfstep
