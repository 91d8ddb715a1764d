#include "train/inference.hpp"

#include <algorithm>
#include <optional>

#include "base/fp_env.hpp"
#include "metrics/classification_score.hpp"
#include "metrics/regression_score.hpp"
#include "train/member_mean.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {

namespace {

// Runs the network on all rows and calls f(first row, rows) after each batch.
template <class F>
void for_each_pass(GemmContext& context, Network& model, const data::Examples& examples, F f) {
  const FpEnvGuard fp_env;
  const std::size_t batch = model.shape().max_rows;
  RowLoader loader(examples.features, context.executor.threads());
  for (std::size_t first = 0; first < examples.rows; first += batch) {
    const std::size_t count = std::min(batch, examples.rows - first);
    loader.load(context, input_rows(examples), {.count = count, .first = first}, model.input());
    model.forward(context, count);
    f(first, count);
  }
}

}  // namespace

void for_each_batch(GemmContext& context, Network& model, const data::Examples& examples, const OutputMeaning& meaning,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f) {
  const std::size_t columns = model.shape().widths.back(), padded = pad_columns(columns);
  MemberMean mean(context.kernels, meaning, columns, model.shape().members);
  AlignedBuffer<float> together(mean.passes_on() ? 0 : model.shape().max_rows * padded);
  for_each_pass(context, model, examples, [&](std::size_t first, std::size_t count) {
    const std::size_t ld = model.logits_ld();
    if (mean.passes_on()) return f(first, count, model.logits(), ld);
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(mean.of(model.logits() + i * mean.members() * ld, ld), padded, together.data() + i * padded);
    }
    f(first, count, together.data(), padded);
  });
}

void for_each_row(GemmContext& context, Network& model, const data::Examples& examples, const OutputMeaning& meaning,
                  const std::function<void(std::size_t, const float*, const double*)>& f) {
  const std::size_t columns = model.shape().widths.back();
  MemberMean mean(context.kernels, meaning, columns, model.shape().members);
  std::vector<double> spread(columns);
  for_each_pass(context, model, examples, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const float* const logits = model.logits() + i * mean.members() * model.logits_ld();
      mean.spread(logits, model.logits_ld(), spread.data());
      f(first + i, mean.of(logits, model.logits_ld()), spread.data());
    }
  });
}

Metrics measure(GemmContext& context, Network& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning, bool with_ranking) {
  const std::size_t columns = model.shape().widths.back();
  const auto targets_from = [&](std::size_t first) {
    return Targets{examples.labels.empty() ? nullptr : examples.labels.data() + first,
                   examples.targets.empty() ? nullptr : examples.targets.data() + first * columns,
                   examples.weights.empty() ? nullptr : examples.weights.data() + first};
  };
  const double weight = total_weight(loss, targets_from(0), examples.rows);
  double losses = 0;
  std::optional<ClassificationScore> classes;
  std::optional<RegressionScore> values;
  if (meaning.classification) {
    classes.emplace(meaning.softmax, columns, with_ranking ? examples.rows : 0);
  } else {
    values.emplace(examples.exact_targets, meaning);
  }
  for_each_batch(context, model, examples, meaning,
                 [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
                   const Targets targets = targets_from(first);
                   const LogitsView view = {logits, ld, columns, rows};
                   add_losses(loss, context.kernels, context.executor, view, targets, 1.0f, nullptr, weight, losses);
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
  metrics.loss = losses / weight;  // NaN where no row counts
  return metrics;
}

}  // namespace halfstep::internal
