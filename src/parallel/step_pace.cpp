#include "parallel/step_pace.hpp"

#include <algorithm>

namespace halfstep::internal {
namespace {

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

StepPace::StepPace(int threads) : threads_(threads) {
  for (std::vector<double>& way : seconds_) way.reserve(kBlocks * kBlock);
}

bool StepPace::measures_next() {
  if (threads_ == 1) return false;
  if (unmeasured_ > 0) {
    --unmeasured_;
    return false;
  }
  if (steps_ == 0) alone_ = false;  // all threads come first: long steps need no more
  return true;
}

void StepPace::took(double seconds) {
  if (steps_ % kBlock > 0) seconds_[alone_ ? 1 : 0].push_back(seconds);
  ++steps_;
  if (steps_ % kBlock > 0) return;
  if (steps_ == kBlocks * kBlock || (steps_ == kBlock && median(seconds_[0]) > kLong)) return decide();
  alone_ = !alone_;
}

void StepPace::decide() {
  alone_ = !seconds_[1].empty() && median(seconds_[1]) < median(seconds_[0]);
  // The same answer again holds for longer.
  rest_ = alone_ == settled_alone_ ? std::min(2 * rest_, kLongestRest) : kFirstRest;
  settled_alone_ = alone_;
  unmeasured_ = rest_;
  steps_ = 0;
  for (std::vector<double>& way : seconds_) way.clear();
}

}  // namespace halfstep::internal
