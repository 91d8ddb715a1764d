#include "bench/step_clock.hpp"

#include <algorithm>

#include "bench/timing.hpp"

namespace halfstep::internal {

StageClock::StageClock() : reading_(1) {
  for (int i = 0; i < 1000; ++i) {
    const double start = seconds_now();
    reading_ = std::min(reading_, seconds_now() - start);
  }
}

void StageClock::add_to(double now) {
  if (running_ >= 0) sums_[static_cast<std::size_t>(running_)] += std::max(0.0, now - since_ - reading_);
}

void StageClock::enter(StepStage stage) {
  const double now = seconds_now();
  add_to(now);
  running_ = static_cast<int>(stage);
  since_ = now;
}

void StageClock::stop() {
  add_to(seconds_now());
  running_ = -1;
}

}  // namespace halfstep::internal
