// The learning rate as a function of the applied step: a skipped step does not move it.
#pragma once
#include <cstdint>

#include "halfstep/types.hpp"

namespace halfstep::internal {

struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double lr = 0;
  std::int64_t warmup = 0;  // steps of linear ramp
  std::int64_t steps = 0;   // planned in all; where all but the constant end
  double decay = 0.1;       // of step: what is left of the rate at each drop
  std::int64_t decays = 2;  // of step: drops

  // `applied` steps are done; the rate of the next one.
  double at(std::int64_t applied) const;
};

}  // namespace halfstep::internal
