// The numbers of the last attempted steps: how a run got to where it is.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "base/state.hpp"
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

  void visit_state(StateVisitor& visitor) {
    visitor.value("count", count_);
    for (std::size_t i = 0; i < kMost; ++i) {
      const StateVisitor::Group group(visitor, std::to_string(i));
      StepFigures& s = steps_[i];
      visitor.value("step", s.step);
      visitor.value("outcome", s.outcome, static_cast<std::int64_t>(StepOutcome::skipped) + 1);
      visitor.number("loss", s.loss);
      visitor.number("grad_norm", s.grad_norm);
      visitor.number("loss_scale", s.loss_scale);
      visitor.number("lr", s.lr);
    }
  }

 private:
  std::array<StepFigures, kMost> steps_ = {};
  std::size_t count_ = 0;
};

}  // namespace halfstep::internal
