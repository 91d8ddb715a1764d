// A metrics file, read again.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "report/run_report.hpp"

namespace halfstep::internal::report {

struct MetricsFile {
  std::string name;
  std::vector<EpochPoint> epochs;
  StepCounts steps;                   // of the last epoch
  std::vector<StepRecord> incidents;  // the first steps that were skipped or retried, without their tensors
};

// `text` is what --metrics wrote. A last line without its end is left out: the run may still be going. Throws
// Error(format) naming the line.
MetricsFile read_metrics(const std::string& name, std::string_view text);

}  // namespace halfstep::internal::report
