#include "optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace halfstep::internal {

namespace {

// From `a` at 0 to `b` at 1 along half a period of a cosine.
double along_cosine(double a, double b, double share) {
  return b + (a - b) * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

// With the shares and factors that PyTorch's OneCycleLR has unless told otherwise.
double one_cycle(double lr, double done) {
  constexpr double kRise = 0.3, kStart = 25, kEnd = 1e4;
  return done < kRise ? along_cosine(lr / kStart, lr, done / kRise)
                      : along_cosine(lr, lr / kStart / kEnd, (done - kRise) / (1 - kRise));
}

}  // namespace

double Schedule::at(std::int64_t applied) const {
  if (applied < warmup) return lr * static_cast<double>(applied + 1) / static_cast<double>(warmup);
  // What a plateau makes of the rate follows from metrics, not from the step.
  if (kind == ScheduleKind::constant || kind == ScheduleKind::plateau || steps <= warmup) return lr;
  const double done = std::min(1.0, static_cast<double>(applied - warmup) / static_cast<double>(steps - warmup));
  switch (kind) {
    case ScheduleKind::linear:
      return lr * (1 - done);
    case ScheduleKind::step:
      return lr *
             std::pow(decay, std::min(std::floor(done * static_cast<double>(decays + 1)), static_cast<double>(decays)));
    case ScheduleKind::one_cycle:
      return one_cycle(lr, done);
    default:
      return lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
}

}  // namespace halfstep::internal
