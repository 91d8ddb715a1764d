// Stopwatch of the stages of a step.
#pragma once
#include <array>

#include "base/stage_watch.hpp"

namespace halfstep::internal {

class StageClock final : public StageWatch {
 public:
  StageClock();
  void enter(StepStage stage) override;
  void stop();                                                              // ends the running stage
  const std::array<double, kStepStages>& seconds() const { return sums_; }  // since construction or reset
  void reset() { sums_ = {}; }

 private:
  void add_to(double now);

  double reading_;  // seconds that one reading of the clock takes: taken off every stage
  double since_ = 0;
  int running_ = -1;
  std::array<double, kStepStages> sums_ = {};
};

}  // namespace halfstep::internal
