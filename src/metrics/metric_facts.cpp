// What there is to know of each metric.
#include <cstddef>

#include "halfstep/metrics.hpp"

namespace halfstep {
namespace {

enum class Of : std::uint8_t { both, classes, values };

struct MetricFacts {
  MetricKind kind;
  double Metrics::*value;
  bool higher_is_better;
  Of of;
};

constexpr MetricFacts kFacts[] = {
    {MetricKind::loss, &Metrics::loss, false, Of::both},
    {MetricKind::accuracy, &Metrics::accuracy, true, Of::classes},
    {MetricKind::balanced_accuracy, &Metrics::balanced_accuracy, true, Of::classes},
    {MetricKind::log_loss, &Metrics::log_loss, false, Of::classes},
    {MetricKind::roc_auc, &Metrics::roc_auc, true, Of::classes},
    {MetricKind::average_precision, &Metrics::average_precision, true, Of::classes},
    {MetricKind::f1, &Metrics::f1, true, Of::classes},
    {MetricKind::brier, &Metrics::brier, false, Of::classes},
    {MetricKind::calibration_error, &Metrics::calibration_error, false, Of::classes},
    {MetricKind::calibrated_loss, &Metrics::calibrated_loss, false, Of::classes},
    {MetricKind::rmse, &Metrics::rmse, false, Of::values},
    {MetricKind::r2, &Metrics::r2, true, Of::values},
    {MetricKind::mae, &Metrics::mae, false, Of::values},
    {MetricKind::median_error, &Metrics::median_error, false, Of::values},
};

static_assert([] {
  bool in_order = std::size(kFacts) == kEnumNames<MetricKind>.size();
  for (std::size_t i = 0; i < std::size(kFacts); ++i) in_order = in_order && kFacts[i].kind == MetricKind(i);
  return in_order;
}());

const MetricFacts& facts_of(MetricKind kind) { return kFacts[static_cast<std::size_t>(kind)]; }

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double value_of(const Metrics& metrics, MetricKind kind) { return metrics.*facts_of(kind).value; }
bool higher_is_better(MetricKind kind) { return facts_of(kind).higher_is_better; }
bool applies_to(MetricKind kind, bool classification) {
  const Of of = facts_of(kind).of;
  return of == Of::both || (of == Of::classes) == classification;
}

double ClassCounts::precision() const { return ratio(right, predicted); }
double ClassCounts::recall() const { return ratio(right, rows); }
double ClassCounts::f1() const { return ratio(2 * right, rows + predicted); }

}  // namespace halfstep
