// Metrics for people and for scripts.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "cli/output.hpp"
#include "halfstep/metrics.hpp"

namespace halfstep::cli {

// Calls f(kind) for each that applies.
template <class F>
void for_each_metric(bool classification, F f) {
  for (std::size_t i = 0; i < kEnumNames<MetricKind>.size(); ++i) {
    const auto kind = static_cast<MetricKind>(i);
    if (applies_to(kind, classification)) f(kind);
  }
}

// Loss, and accuracy or rmse and r2, and `also` where it is another.
std::string metrics_text(const Metrics& metrics, MetricKind also = MetricKind::loss);

// All that apply, and those of each of several targets.
void add_metrics(JsonObject& object, const Metrics& metrics, std::span<const std::string> targets);

// Lines with all that apply, what became of each class, and which were taken for which; or a line for each of several
// targets.
std::string metrics_report(const Metrics& metrics, std::span<const std::string> classes,
                           std::span<const std::string> targets);

// A line for each of several targets; nothing for one.
std::string targets_text(const Metrics& metrics, std::span<const std::string> names);

// Calls f(kind, value of one target) for each metric of values.
template <class F>
void for_each_error(const TargetErrors& target, F f) {
  f(MetricKind::rmse, target.rmse);
  f(MetricKind::r2, target.r2);
  f(MetricKind::mae, target.mae);
  f(MetricKind::median_error, target.median_error);
}

}  // namespace halfstep::cli
