// The parts of the page of a run, each nothing where the run has nothing of it.
#pragma once
#include "report/markup.hpp"
#include "report/run_report.hpp"

namespace halfstep::internal::report {

Markup head_of(const RunReport& report);      // result, how it ended, how to repeat it
Markup networks_of(const RunReport& report);  // of a bag, and the settings that were tried for it
Markup curves_of(const RunReport& report);    // loss, metric, rate, norm, loss scale, speed
Markup ledger_of(const RunReport& report);    // steps skipped and retried, and why
Markup storage_of(const RunReport& report);   // what rounding to storage does, by the meters
Markup quality_of(const RunReport& report);   // on the rows held out
Markup columns_of(const RunReport& report);   // what the model uses
Markup worst_of(const RunReport& report);     // rows with the largest loss
Markup settings_of(const RunReport& report);  // data, configuration, speed, machine

// How outputs follow from single columns, a figure each.
Markup dependence_figures(const std::vector<Dependence>& dependences);

// "Accuracy", and its value as people write it.
std::string_view metric_title(MetricKind kind);
std::string metric_text(MetricKind kind, double value);
bool is_share(MetricKind kind);

}  // namespace halfstep::internal::report
