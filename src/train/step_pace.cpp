#include "train/step_pace.hpp"

#include <algorithm>

namespace halfstep {
namespace {

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void StepPace::took(double seconds) {
  if (settled_) return;
  if (steps_ % kBlock > 0) seconds_[alone_ ? 1 : 0].push_back(seconds);
  ++steps_;
  if (steps_ % kBlock > 0) return;
  if (steps_ == kBlocks * kBlock || (steps_ == kBlock && median(seconds_[0]) > kLong)) return settle();
  alone_ = !alone_;
}

void StepPace::settle() {
  settled_ = true;
  alone_ = !seconds_[1].empty() && median(seconds_[1]) < median(seconds_[0]);
  for (std::vector<double>& way : seconds_) way = {};
}

}  // namespace halfstep
