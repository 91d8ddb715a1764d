// Which steps a budget of time has room for.
#pragma once
#include <algorithm>
#include <chrono>

namespace halfstep::internal {

class StepBudget {
 public:
  using Duration = std::chrono::nanoseconds;

  // Whether a step may begin when `spent` of `budget` is over. Before a step was timed, one may.
  bool has_room(Duration spent, Duration budget) const {
    if (expected_ == Duration::zero()) return true;
    // A step longer than the whole budget waits until the time that earlier calls did not use covers it.
    return spent + expected_ <= (expected_ > budget ? budget + left_ : budget);
  }
  void timed(Duration step) {
    // Slow to forget: what a late step costs is worse than what an early return does.
    recent_ = std::max(step, recent_ - recent_ / 8 + step / 8);
    // What all but a few of a thousand steps keep to, where other threads get in the way now and then: a longer step
    // moves it up by half a usual one at most, so that one that was interrupted for long does not stop training.
    usual_ = usual_ == Duration::zero() ? step : usual_ + (std::min(step, 2 * usual_) - usual_) / 16;
    rare_ += step > rare_ ? std::min(step - rare_, usual_ / 2) : -usual_ / 1000;
    expected_ = std::max(recent_, rare_);
  }
  // At the end of a call.
  void finish(Duration spent, Duration budget) {
    left_ = expected_ > budget ? std::clamp(left_ + budget - spent, Duration::zero(), expected_) : Duration::zero();
  }

 private:
  Duration recent_ = Duration::zero(), usual_ = Duration::zero(), rare_ = Duration::zero();
  Duration expected_ = Duration::zero();  // of the next step
  Duration left_ = Duration::zero();
};

}  // namespace halfstep::internal
