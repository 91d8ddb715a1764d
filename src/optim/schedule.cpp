#include "optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace halfstep::internal {

double Schedule::at(std::int64_t applied) const {
  if (applied < warmup) return lr * static_cast<double>(applied + 1) / static_cast<double>(warmup);
  if (kind == ScheduleKind::constant || steps <= warmup) return lr;
  const double done = std::min(1.0, static_cast<double>(applied - warmup) / static_cast<double>(steps - warmup));
  if (kind == ScheduleKind::linear) return lr * (1 - done);
  return lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace halfstep::internal
