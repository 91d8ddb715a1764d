// Collects what a run tells, for its report: the same events that observers get, in a space that does not grow with the
// number of steps.
#pragma once
#include <chrono>
#include <cstdint>

#include "base/state.hpp"
#include "halfstep/jobs.hpp"
#include "report/run_report.hpp"

namespace halfstep::internal {

class ReportRecorder {
 public:
  // Around each step, which is timed in between.
  void begin_step() { begun_ = Time::now(); }
  void end_step(const StepRecord& record, bool metered);

  void add(const MeterReport& report);
  // `best`: the best so far, where any of the epochs is to be pointed out.
  void add(const EpochReport& report);

  // What was collected of losses, rates, scales, times and incidents, for a run that goes on with it; not the meters,
  // which are large. One that has refused to load is of no more use: its curves may be cut.
  void visit_state(StateVisitor& visitor);

  // What was collected; the rest is for the job to fill in.
  report::RunReport take();

 private:
  using Time = std::chrono::steady_clock;

  void add_slow(const report::SlowStep& step);

  report::RunReport report_;
  Time::time_point begun_;
  std::int64_t meter_stride_ = 1, meters_seen_ = 0;  // one of so many readings is kept
  std::int64_t epoch_stride_ = 1, epochs_seen_ = 0;
  double metered_seconds_ = 0, plain_seconds_ = 0;
  std::int64_t metered_steps_ = 0, plain_steps_ = 0;
};

}  // namespace halfstep::internal
