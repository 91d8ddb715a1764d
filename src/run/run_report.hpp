// From a run to its report file.
#pragma once
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
  const OutputMeaning& meaning;
  const RunPlan& plan;
  StepTrainer& trainer;
};

// Measures what the report shows of the rows held out and writes options.report. A sentence for the user where that
// fails, for whatever reason: the run has been worth more than its picture. `failure`: why the run has no model.
std::string write_report(const ReportOf& of, ReportRecorder& recorder, const TrainResult& result,
                         const std::string& failure);

}  // namespace halfstep::internal
