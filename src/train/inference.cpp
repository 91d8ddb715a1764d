#include "train/inference.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/fp_env.hpp"
#include "train/classification_score.hpp"
#include "train/regression_error.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {
namespace {

// What the outputs of a regression say about it. Residuals are standardised.
class RegressionScore {
 public:
  RegressionScore(const data::Examples& examples, const OutputMeaning& meaning, std::size_t columns)
      : examples_(examples), meaning_(meaning), columns_(columns) {}

  void add(std::size_t row, const float* outputs) {
    non_finite_ += is_finite_output(outputs, columns_) ? 0 : 1;
    residuals_.push_back(outputs[0] - examples_.exact_targets[row]);
  }

  void finish(Metrics& metrics) {
    metrics.non_finite = non_finite_;
    const double rms = root_mean_square(residuals_);
    metrics.rmse = rms * meaning_.target_scale;
    metrics.r2 = r_squared(rms, examples_.exact_targets);
    metrics.mae = mean_magnitude(residuals_) * meaning_.target_scale;
    metrics.median_error = median_magnitude(residuals_) * meaning_.target_scale;
  }

 private:
  const data::Examples& examples_;
  const OutputMeaning& meaning_;
  std::size_t columns_;
  std::int64_t non_finite_ = 0;
  std::vector<double> residuals_;
};

}  // namespace

void for_each_batch(GemmContext& context, Network& model, const data::Examples& examples,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f) {
  const FpEnvGuard fp_env;
  const std::size_t batch = model.shape().max_rows;
  RowLoader loader(examples.features, context.executor.threads());
  for (std::size_t first = 0; first < examples.rows; first += batch) {
    const std::size_t count = std::min(batch, examples.rows - first);
    loader.load(context, input_rows(examples), {.count = count, .first = first}, model.input());
    model.forward(context, count);
    f(first, count, model.logits(), model.logits_ld());
  }
}

std::size_t predicted_class(const float* logits, std::size_t columns, bool single_logit) {
  if (single_logit) return logits[0] > 0 ? 1 : 0;
  std::size_t best = 0;
  for (std::size_t i = 1; i < columns; ++i) {
    if (logits[i] > logits[best] || logits[best] != logits[best]) best = i;
  }
  return best;
}

bool is_finite_output(const float* logits, std::size_t columns) {
  return std::all_of(logits, logits + columns, [](float logit) { return std::isfinite(logit); });
}

Metrics measure(GemmContext& context, Network& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning, bool with_ranking) {
  const std::size_t columns = model.shape().widths.back();
  double loss_sum = 0, weight_sum = 0;
  std::optional<ClassificationScore> classes;
  std::optional<RegressionScore> values;
  if (meaning.classification) {
    classes.emplace(meaning.softmax, columns, with_ranking ? examples.rows : 0);
  } else {
    values.emplace(examples, meaning, columns);
  }
  for_each_batch(
      context, model, examples, [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
        const Targets targets = {examples.labels.empty() ? nullptr : examples.labels.data() + first,
                                 examples.targets.empty() ? nullptr : examples.targets.data() + first,
                                 examples.weights.empty() ? nullptr : examples.weights.data() + first};
        const LogitsView view = {logits, ld, columns, rows};
        const double weight = total_weight(loss, targets, rows);
        loss_sum += evaluate_loss(loss, context.kernels, context.executor, view, targets, 1.0f, nullptr) * weight;
        weight_sum += weight;
        for (std::size_t i = 0; i < rows; ++i) {
          if (classes) classes->add(logits + i * ld, targets.labels[i]);
          if (values) values->add(first + i, logits + i * ld);
        }
      });
  Metrics metrics;
  metrics.rows = static_cast<std::int64_t>(examples.rows);
  metrics.classification = meaning.classification;
  if (classes) classes->finish(examples.labels, metrics);
  if (values) values->finish(metrics);
  metrics.loss = loss_sum / weight_sum;  // NaN where no row counts
  return metrics;
}

}  // namespace halfstep::internal
