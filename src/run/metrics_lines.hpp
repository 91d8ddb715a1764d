// What a run tells, as lines of the metrics log. meter_json.hpp has those of the meters.
#pragma once
#include <cstdint>
#include <string>

#include "halfstep/jobs.hpp"
#include "halfstep/ledger.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

// Of a step that was skipped or retried.
json::Object incident_line(const StepRecord& record);

// Of what --on-nonfinite rollback did after a step.
json::Object recovery_line(std::int64_t step, const std::string& action);

json::Object epoch_line(const EpochReport& report);

}  // namespace halfstep::internal
