// Jobs on a trained model: evaluate, predict.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

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
        model(network_of(saved.spec, {.max_rows = std::min(kBatch, std::max<std::size_t>(rows, 1))})) {
    model.set_tensors(saved.tensors);
    model.pack_all(*machine.kernels);
  }
  const Machine& machine;
  GemmContext context;
  Network model;
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

}  // namespace

Evaluation evaluate(const std::string& model, const std::string& data, const Options& options) {
  const SavedModel saved = load_for_rows(model);
  const Machine machine(options);
  Evaluation out;
  const data::Examples examples = read_examples(saved, data, options, machine, true, out);
  Loaded loaded(saved, machine, examples.rows);
  const auto loss = loss_of(saved.spec);
  out.metrics =
      measure(loaded.context, loaded.model, examples, *loss, output_meaning(saved.preprocessor, saved.spec.loss), true);
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

Predictions predict(const std::string& model, const std::string& data, const Options& options) {
  const SavedModel saved = load_for_rows(model);
  const Machine machine(options);
  Predictions out;
  const data::Examples examples = read_examples(saved, data, options, machine, false, out);
  Loaded loaded(saved, machine, examples.rows);
  const OutputMeaning meaning = output_meaning(saved.preprocessor, saved.spec.loss);
  out.classification = meaning.classification;
  if (meaning.classification) out.classes = saved.preprocessor.classes();
  if (!meaning.classification) out.targets = data::target_names(saved.preprocessor.targets());
  const auto add = [&](std::size_t row, const float* logits) {
    if (meaning.classification) add_class(*loaded.machine.kernels, saved, meaning, logits, out);
    if (!meaning.classification) add_values(meaning, logits, out);
    if (!is_finite_output(logits, saved.spec.widths.back())) out.non_finite.push_back(static_cast<std::int64_t>(row));
  };
  for_each_batch(loaded.context, loaded.model, examples, meaning,
                 [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
                   for (std::size_t i = 0; i < rows; ++i) add(first + i, logits + i * ld);
                 });
  if (!out.non_finite.empty()) {
    out.warnings.push_back(
        non_finite_warning(saved, std::ssize(out.non_finite), std::ssize(out.predicted), out.non_finite));
  } else if (std::string warning = bad_weights_warning(saved); !warning.empty()) {
    out.warnings.push_back(std::move(warning));
  }
  return out;
}

}  // namespace halfstep
