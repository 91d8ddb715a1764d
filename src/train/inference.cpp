#include "train/inference.hpp"

#include <algorithm>
#include <cmath>

#include "base/fp_env.hpp"
#include "train/regression_error.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {
namespace {

// What a set's rows say about a model, row by row.
class Score {
 public:
  Score(const data::Examples& examples, const OutputMeaning& meaning, std::size_t columns)
      : examples_(examples), meaning_(meaning), columns_(columns) {}

  void add(std::size_t row, const float* logits) {
    const bool finite = is_finite_output(logits, columns_);
    non_finite_ += finite ? 0 : 1;
    if (!meaning_.classification) {
      residuals_.push_back(logits[0] - examples_.exact_targets[row]);
    } else if (finite) {
      const std::size_t guess = predicted_class(logits, columns_, meaning_.single_logit);
      correct_ += guess == static_cast<std::size_t>(examples_.labels[row]) ? 1 : 0;
    }
  }

  void finish(Metrics& metrics) const {
    metrics.rows = static_cast<std::int64_t>(examples_.rows);
    metrics.non_finite = non_finite_;
    metrics.classification = meaning_.classification;
    if (meaning_.classification) {
      metrics.accuracy = static_cast<double>(correct_) / static_cast<double>(examples_.rows);
      return;
    }
    const double rms = root_mean_square(residuals_);
    metrics.rmse = rms * meaning_.target_scale;
    metrics.r2 = r_squared(rms, examples_.exact_targets);
  }

 private:
  const data::Examples& examples_;
  const OutputMeaning& meaning_;
  std::size_t columns_;
  std::int64_t non_finite_ = 0, correct_ = 0;
  std::vector<double> residuals_;  // standardised
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
                const OutputMeaning& meaning) {
  const std::size_t columns = model.shape().widths.back();
  double loss_sum = 0, weight_sum = 0;
  Score score(examples, meaning, columns);
  for_each_batch(
      context, model, examples, [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
        const Targets targets = {examples.labels.empty() ? nullptr : examples.labels.data() + first,
                                 examples.targets.empty() ? nullptr : examples.targets.data() + first};
        const LogitsView view = {logits, ld, columns, rows};
        const double weight = total_weight(loss, targets, rows);
        loss_sum += evaluate_loss(loss, context.kernels, context.executor, view, targets, 1.0f, nullptr) * weight;
        weight_sum += weight;
        for (std::size_t i = 0; i < rows; ++i) score.add(first + i, logits + i * ld);
      });
  Metrics metrics;
  score.finish(metrics);
  metrics.loss = loss_sum / weight_sum;
  return metrics;
}

}  // namespace halfstep::internal
