#include "fuzz/job_checks.hpp"

#include <algorithm>
#include <cmath>

#include "fuzz/support.hpp"
#include "run/model_file.hpp"

namespace halfstep::fuzz {

using namespace internal;
namespace {

std::size_t columns_of(const Predictions& predictions) {
  return predictions.classification ? predictions.classes.size() : predictions.targets.size();
}

bool all_known(const Predictions& predictions, std::size_t row) {
  const std::size_t columns = columns_of(predictions);
  const auto* first = predictions.values.data() + row * columns;
  return std::none_of(first, first + columns, [](auto value) { return std::isnan(value); });
}

void check_class(const Predictions& predictions, std::size_t row) {
  const auto& classes = predictions.classes;
  const bool has_class = std::find(classes.begin(), classes.end(), predictions.predicted[row]) != classes.end();
  if (!all_known(predictions, row)) {
    require(!has_class, "a row without probabilities has no class", predictions.predicted[row]);
    return;
  }
  require(has_class, "a row has one of the classes", predictions.predicted[row]);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto p = predictions.values[row * classes.size() + i];
    require(p >= 0 && p <= 1.00001f, "a probability is from 0 to 1", std::to_string(p));
  }
}

// Rows with a target, and of these at most those that were predicted, count as correct.
void check_metrics(const Metrics& metrics, const Predictions& predictions) {
  const std::size_t rows = predictions.predicted.size();
  require(metrics.rows > 0 && static_cast<std::size_t>(metrics.rows) <= rows, "rows with a target are measured");
  if (!metrics.classification) return;
  require(metrics.accuracy >= 0 && metrics.accuracy <= 1, "accuracy is from 0 to 1");
  std::size_t known = 0;
  for (std::size_t row = 0; row < rows; ++row) known += all_known(predictions, row) ? 1 : 0;
  const double correct = metrics.accuracy * static_cast<double>(metrics.rows);
  require(correct < static_cast<double>(known) + 0.5, "a row without probabilities is not correct");
}

}  // namespace

void check_predictions(const Predictions& predictions) {
  const std::size_t rows = predictions.predicted.size();
  require(predictions.values.size() == rows * columns_of(predictions), "every row has its values");
  for (std::size_t row = 0; predictions.classification && row < rows; ++row) check_class(predictions, row);
}

void check_use(const std::string& model, const std::string& data, const Options& options) {
  Predictions predictions;
  if (!succeeds([&] { predictions = predict(model, data, options); })) return;
  check_predictions(predictions);
  succeeds([&] { check_metrics(evaluate(model, data, options).metrics, predictions); });
}

void check_model_file(const std::string& path) {
  const SavedModel model = load_model(path);
  const std::string copy = scratch() / "copy.safetensors";
  save_model(copy, model);
  const ModelSummary before = inspect(path), after = inspect(copy);
  require(before.weights_digest == after.weights_digest, "weights are kept");
  require(before.architecture == after.architecture && before.kind == after.kind, "the kind of model is kept");
  require(before.precision == after.precision && before.layer_precision == after.layer_precision, "precision is kept");
  require(before.classes == after.classes && before.preprocessing == after.preprocessing, "preprocessing is kept");
  require(before.config == after.config && before.step == after.step, "the run's parameters are kept");
  require(before.loss_scale == after.loss_scale, "the loss scale is kept");
}

}  // namespace halfstep::fuzz
