#include "train/inference.hpp"

#include <algorithm>

#include "base/fp_env.hpp"

namespace halfstep::internal {

namespace {

// Runs the networks on all rows and calls f(first row, rows) after each batch.
template <class F>
void for_each_pass(JointOutputs& outputs, const data::Examples& examples, F f) {
  const FpEnvGuard fp_env;
  const std::size_t batch = outputs.most_rows();
  for (std::size_t first = 0; first < examples.rows; first += batch) {
    const std::size_t count = std::min(batch, examples.rows - first);
    outputs.pass(input_rows(examples), {.count = count, .first = first});
    f(first, count);
  }
}

}  // namespace

void for_each_batch(GemmContext& context, const Networks& model, const data::Examples& examples,
                    const OutputMeaning& meaning,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f) {
  JointOutputs outputs(context, model, meaning);
  const std::size_t padded = pad_columns(outputs.columns());
  AlignedBuffer<float> together(outputs.passes_on() ? 0 : outputs.most_rows() * padded);
  for_each_pass(outputs, examples, [&](std::size_t first, std::size_t count) {
    if (outputs.passes_on()) return f(first, count, outputs.of(0), outputs.first().logits_ld());
    for (std::size_t i = 0; i < count; ++i) std::copy_n(outputs.of(i), padded, together.data() + i * padded);
    f(first, count, together.data(), padded);
  });
}

void for_each_row(GemmContext& context, const Networks& model, const data::Examples& examples,
                  const OutputMeaning& meaning,
                  const std::function<void(std::size_t, const float*, const double*)>& f) {
  JointOutputs outputs(context, model, meaning);
  std::vector<double> spread(outputs.columns());
  for_each_pass(outputs, examples, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      outputs.spread(i, spread.data());
      f(first + i, outputs.of(i), spread.data());
    }
  });
}

SetScore::SetScore(GemmContext& context, const data::Examples& examples, const Loss& loss, const OutputMeaning& meaning,
                   std::size_t columns, MoreMetrics more)
    : context_(context),
      examples_(examples),
      loss_(loss),
      meaning_(meaning),
      columns_(columns),
      weight_(total_weight(loss, targets_from(0), examples.rows)) {
  if (meaning.classification) {
    classes_.emplace(meaning.softmax, columns, more.ranking ? examples.rows : 0);
    if (more.calibrated) said_ = {.columns = columns};
  } else {
    values_.emplace(examples.exact_targets, meaning_);
  }
}

Targets SetScore::targets_from(std::size_t first) const {
  return {examples_.labels.empty() ? nullptr : examples_.labels.data() + first,
          examples_.targets.empty() ? nullptr : examples_.targets.data() + first * columns_,
          examples_.weights.empty() ? nullptr : examples_.weights.data() + first};
}

void SetScore::add(std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
  const Targets targets = targets_from(first);
  const LogitsView view = {logits, ld, columns_, rows};
  add_losses(loss_, context_.kernels, context_.executor, view, targets, 1.0f, nullptr, weight_, losses_);
  for (std::size_t i = 0; i < rows; ++i) {
    if (classes_) classes_->add(logits + i * ld, targets.labels[i]);
    if (values_) values_->add(first + i, logits + i * ld);
    if (said_) keep(first + i, logits + i * ld);
  }
}

void SetScore::keep(std::size_t row, const float* logits) {
  said_->logits.insert(said_->logits.end(), logits, logits + columns_);
  said_->labels.push_back(examples_.labels[row]);
  const double of_row = examples_.weights.empty() ? 1 : static_cast<double>(examples_.weights[row]);
  said_->weights.push_back(loss_.weight(row, targets_from(0)) * of_row);
}

Metrics SetScore::finish() {
  Metrics metrics;
  metrics.rows = static_cast<std::int64_t>(examples_.rows);
  metrics.classification = meaning_.classification;
  if (classes_) classes_->finish(examples_.labels, metrics);
  if (values_) values_->finish(metrics);
  if (said_) metrics.calibrated_loss = calibrated_loss(*said_, meaning_);
  metrics.loss = losses_ / weight_;  // NaN where no row counts
  return metrics;
}

Metrics measure(GemmContext& context, const Networks& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning, MoreMetrics more) {
  SetScore score(context, examples, loss, meaning, model.all.front()->shape().widths.back(), more);
  for_each_batch(context, model, examples, meaning,
                 [&](std::size_t first, std::size_t rows, const float* logits, std::size_t ld) {
                   score.add(first, rows, logits, ld);
                 });
  return score.finish();
}

}  // namespace halfstep::internal
