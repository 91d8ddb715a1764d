// From a run to its report file.
#pragma once
#include <functional>
#include <string>

#include "run/machine.hpp"
#include "run/prepare.hpp"
#include "run/report_recorder.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

// Steps between two readings of the meters: what was asked for, or some twenty readings of the run where it is to have
// a report.
std::int64_t meter_every(const Options& options, std::int64_t steps);

// What a report is made from beside what was recorded.
struct ReportOf {
  const std::string& data;
  const Options& options;
  const Prepared& prepared;
  const RunPlan& plan;
  // Measures what the report shows of the rows held out, but their name and metrics, which the result has.
  std::function<report::HeldOut()> held_out;
};

// Writes options.report. A sentence for the user where that fails, for whatever reason: the run has been worth more
// than its picture. `failure`: why the run has no model, where it has none; the rows held out are then not looked at.
std::string write_report(const ReportOf& of, report::RunReport recorded, const TrainResult& result,
                         const std::string& failure);

// ReportOf::held_out of a run of one network.
report::HeldOut held_out_of_run(StepTrainer& trainer, const OutputMeaning& meaning, const Prepared& prepared);

}  // namespace halfstep::internal
