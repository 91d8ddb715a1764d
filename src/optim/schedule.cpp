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

// RealMLP's (Holzmueller and others, 2024, "Better by default"): the second half is along a cosine.
double flat_cosine(double lr, double done) { return done < 0.5 ? lr : along_cosine(lr, 0, 2 * done - 1); }

// Theirs too, "coslog4": cycles of a cosine that begin at 0, 1/15, 3/15 and 7/15 of the run.
double coslog(double lr, double done) {
  return lr * 0.5 * (1 - std::cos(2 * std::numbers::pi * std::log2(1 + 15 * done)));
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
    case ScheduleKind::flat_cosine:
      return flat_cosine(lr, done);
    case ScheduleKind::coslog:
      return coslog(lr, done);
    default:
      return lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
}

}  // namespace halfstep::internal
