// Forward passes over a whole set: metrics and predictions.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>

#include "data/examples.hpp"
#include "gemm/gemm.hpp"
#include "halfstep/metrics.hpp"
#include "loss/loss.hpp"
#include "metrics/classification_score.hpp"
#include "metrics/output_meaning.hpp"
#include "metrics/regression_score.hpp"
#include "metrics/temperature.hpp"
#include "train/joint_outputs.hpp"

namespace halfstep::internal {

// Calls f(first row, rows, logits, ld) for each batch in order. Logits are fp32, a row for each example: of an ensemble
// what its members say together, of several networks what these do.
void for_each_batch(GemmContext& context, const Networks& model, const data::Examples& examples,
                    const OutputMeaning& meaning,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f);

// Calls f(row, logits, spread) for each row in order: the same, and how far the members' values lie apart.
void for_each_row(GemmContext& context, const Networks& model, const data::Examples& examples,
                  const OutputMeaning& meaning, const std::function<void(std::size_t, const float*, const double*)>& f);

// Metrics that cost more than a look at each row; NaN where they are not wanted.
struct MoreMetrics {
  bool ranking = false;     // roc_auc and average_precision, which need all scores and sort them
  bool calibrated = false;  // calibrated_loss, which fits a temperature to all logits

  static constexpr MoreMetrics all() { return {true, true}; }
  static constexpr MoreMetrics with(MetricKind kind) {
    return {kind == MetricKind::roc_auc || kind == MetricKind::average_precision, kind == MetricKind::calibrated_loss};
  }
};

// Logits of the rows of a set, as for_each_batch gives them, against what is true of them.
class SetScore {
 public:
  // All but `meaning` are the caller's and outlive it.
  SetScore(GemmContext& context, const data::Examples& examples, const Loss& loss, const OutputMeaning& meaning,
           std::size_t columns, MoreMetrics more);

  void add(std::size_t first, std::size_t rows, const float* logits, std::size_t ld);
  Metrics finish();

 private:
  Targets targets_from(std::size_t first) const;
  void keep(std::size_t row, const float* logits);

  GemmContext& context_;
  const data::Examples& examples_;
  const Loss& loss_;
  OutputMeaning meaning_;
  std::size_t columns_;
  double weight_, losses_ = 0;
  std::optional<ClassificationScore> classes_;
  std::optional<RegressionScore> values_;
  std::optional<SaidOfRows> said_;  // where a temperature is to be fitted
};

Metrics measure(GemmContext& context, const Networks& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning, MoreMetrics more);

}  // namespace halfstep::internal
