// The numbers of the last attempted steps: how a run got to where it is.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "halfstep/incident.hpp"

namespace halfstep::internal {

class RecentSteps {
 public:
  static constexpr std::size_t kMost = 32;

  void add(const StepRecord& record) {
    steps_[count_ % kMost] = {record.step, record.outcome, record.loss, record.grad_norm, record.loss_scale, record.lr};
    ++count_;
  }
  // Oldest first.
  std::vector<StepFigures> list() const {
    std::vector<StepFigures> out;
    for (std::size_t i = count_ - std::min(count_, kMost); i < count_; ++i) out.push_back(steps_[i % kMost]);
    return out;
  }

 private:
  std::array<StepFigures, kMost> steps_ = {};
  std::size_t count_ = 0;
};

}  // namespace halfstep::internal
