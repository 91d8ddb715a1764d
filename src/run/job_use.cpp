// Jobs on a trained model: evaluate, predict, inspect.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "base/dtype.hpp"
#include "data/data.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/non_finite.hpp"
#include "run/precision.hpp"
#include "train/target_value.hpp"

namespace halfstep {
namespace {

constexpr std::size_t kBatch = 512;

// A model ready for forward passes, in the precision it was trained in.
struct Loaded {
  Loaded(const SavedModel& saved, const Options& options, std::size_t rows)
      : machine(options),
        context(*machine.kernels, *machine.executor),
        model({.widths = saved.widths,
               .activation = saved.activation,
               .norm = saved.norm,
               .residual = saved.residual,
               .layer_dtypes = saved.layer_dtypes,
               .max_rows = std::min(kBatch, std::max<std::size_t>(rows, 1)),
               .training = false}) {
    model.set_tensors(saved.tensors);
    model.pack_all(*machine.kernels);
  }
  Machine machine;
  GemmContext context;
  Mlp model;
};

void add_class(const KernelTable& kernels, const SavedModel& saved, const OutputMeaning& meaning, const float* logits,
               Predictions& out) {
  const std::size_t classes = saved.preprocessor.classes().size();
  const std::size_t columns = saved.widths.back();
  if (!is_finite_output(logits, columns)) {
    out.values.insert(out.values.end(), classes, std::numeric_limits<double>::quiet_NaN());
    out.predicted.emplace_back();
    return;
  }
  std::vector<float> probabilities(pad_columns(columns));
  if (saved.loss == LossKind::cross_entropy) {
    kernels.softmax(columns, logits, probabilities.data());
  } else {
    kernels.activate[index_of(Dtype::fp32)](Activation::sigmoid, columns, logits, probabilities.data());
  }
  if (meaning.single_logit) probabilities = {1 - probabilities[0], probabilities[0]};
  out.values.insert(out.values.end(), probabilities.begin(),
                    probabilities.begin() + static_cast<std::ptrdiff_t>(classes));
  out.predicted.push_back(saved.preprocessor.classes()[predicted_class(logits, columns, meaning.single_logit)]);
}

// Reads by what the model knows of its table.
data::Examples read_examples(const SavedModel& saved, const std::string& path, const Options& options,
                             bool need_targets, std::vector<std::string>& notes) {
  const data::Preprocessor& preprocessor = saved.preprocessor;
  return preprocessor.apply(data::read_data(path, options, &preprocessor.recipe()), need_targets, &notes);
}

void add_value(const OutputMeaning& meaning, float output, Predictions& out) {
  const double value = target_value(output, meaning.target_mean, meaning.target_scale);
  out.values.push_back(value);
  out.predicted.push_back(number_text(value));
}

}  // namespace

Evaluation evaluate(const std::string& model, const std::string& data, const Options& options) {
  const SavedModel saved = load_model(model);
  std::vector<std::string> notes;
  const data::Examples examples = read_examples(saved, data, options, true, notes);
  Loaded loaded(saved, options, examples.rows);
  const auto loss = make_loss(saved.loss, saved.huber_delta, saved.cross_entropy);
  Evaluation out;
  out.notes = std::move(notes);
  out.metrics = measure(loaded.context, loaded.model, examples, *loss, output_meaning(saved.preprocessor, saved.loss));
  const Metrics& m = out.metrics;
  if (m.non_finite > 0) out.warnings.push_back(non_finite_warning(saved, m.non_finite, m.rows));
  return out;
}

Predictions predict(const std::string& model, const std::string& data, const Options& options) {
  const SavedModel saved = load_model(model);
  Predictions out;
  const data::Examples examples = read_examples(saved, data, options, false, out.notes);
  Loaded loaded(saved, options, examples.rows);
  const OutputMeaning meaning = output_meaning(saved.preprocessor, saved.loss);
  out.classification = meaning.classification;
  if (meaning.classification) out.classes = saved.preprocessor.classes();
  const auto add = [&](std::size_t row, const float* logits) {
    if (meaning.classification) add_class(*loaded.machine.kernels, saved, meaning, logits, out);
    if (!meaning.classification) add_value(meaning, logits[0], out);
    if (!is_finite_output(logits, saved.widths.back())) out.non_finite.push_back(static_cast<std::int64_t>(row));
  };
  for_each_batch(loaded.context, loaded.model, examples,
                 [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
                   for (std::size_t i = 0; i < rows; ++i) add(first + i, logits + i * ld);
                 });
  if (!out.non_finite.empty()) {
    out.warnings.push_back(
        non_finite_warning(saved, std::ssize(out.non_finite), std::ssize(out.predicted), out.non_finite));
  }
  return out;
}

ModelSummary inspect(const std::string& path) {
  const SavedModel saved = load_model(path);
  ModelSummary s;
  s.format = "halfstep 1 (safetensors)";
  s.kind = saved.preprocessor.task() == Task::classify ? "classifier" : "regressor";
  for (std::size_t width : saved.widths) s.architecture += (s.architecture.empty() ? "" : "-") + std::to_string(width);
  s.architecture +=
      " " + hidden_text(saved.activation, saved.norm, saved.residual) + ", " + std::string(loss_name(saved.loss));
  for (const NamedTensor& t : saved.tensors) {
    if (is_parameter(t)) s.parameters += static_cast<std::int64_t>(t.values.size());
    s.tensors.push_back({t.name, "F32", {t.shape.begin(), t.shape.end()}});
  }
  s.step = saved.step;
  s.precision = name(saved.precision);
  s.layer_precision = exceptions_text(saved.precision, saved.layer_dtypes);
  s.loss_scale = number_text(saved.scaler.scale);
  s.digest = saved.digest;
  s.weights_digest = weights_digest(saved.tensors);
  s.classes = saved.preprocessor.classes();
  s.preprocessing = saved.preprocessor.describe();
  s.config = saved.config;
  return s;
}

}  // namespace halfstep
