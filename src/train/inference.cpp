#include "train/inference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fp_env.hpp"
#include "train/batcher.hpp"

namespace halfstep {
namespace {

// Sums for rmse and r2 in target units. A NaN prediction makes both NaN: it is not hidden.
struct Regression {
  double squares = 0, sum = 0, sum_squares = 0;
  void add(double predicted, double truth) {
    squares += (predicted - truth) * (predicted - truth);
    sum += truth;
    sum_squares += truth * truth;
  }
};

}  // namespace

void for_each_batch(GemmContext& context, Mlp& model, const data::Examples& examples,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f) {
  const FpEnvGuard fp_env;
  const std::size_t batch = model.shape().max_rows;
  Batcher batcher(examples, batch, context.executor.threads());
  std::vector<std::uint32_t> rows(batch);
  for (std::size_t first = 0; first < examples.rows; first += batch) {
    const std::size_t count = std::min(batch, examples.rows - first);
    std::iota(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count), static_cast<std::uint32_t>(first));
    batcher.load(context, {rows.data(), count}, model.input());
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

Metrics measure(GemmContext& context, Mlp& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning) {
  Metrics metrics;
  metrics.rows = static_cast<std::int64_t>(examples.rows);
  metrics.classification = meaning.classification;
  const std::size_t columns = model.shape().widths.back();
  double loss_sum = 0, weight_sum = 0, correct = 0;
  Regression regression;
  for_each_batch(
      context, model, examples, [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
        const Targets targets = {examples.labels.empty() ? nullptr : examples.labels.data() + first,
                                 examples.targets.empty() ? nullptr : examples.targets.data() + first};
        const LogitsView view = {logits, ld, columns, rows};
        const double weight = total_weight(loss, targets, rows);
        loss_sum += evaluate_loss(loss, context.kernels, context.executor, view, targets, 1.0f, nullptr) * weight;
        weight_sum += weight;
        for (std::size_t i = 0; i < rows; ++i) {
          if (meaning.classification) {
            const std::size_t guess = predicted_class(logits + i * ld, columns, meaning.single_logit);
            correct += guess == static_cast<std::size_t>(targets.labels[i]);
          } else {
            regression.add(logits[i * ld] * meaning.target_scale, targets.values[i] * meaning.target_scale);
          }
        }
      });
  const auto n = static_cast<double>(examples.rows);
  metrics.loss = loss_sum / weight_sum;
  metrics.accuracy = correct / n;
  metrics.rmse = std::sqrt(regression.squares / n);
  const double spread = regression.sum_squares - regression.sum * regression.sum / n;
  metrics.r2 = 1 - regression.squares / spread;
  return metrics;
}

}  // namespace halfstep
