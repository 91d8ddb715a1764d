// A copy of the weights at a time when they were good, for a run that ends badly.
#pragma once
#include <cstdint>

#include "nn/weight_copy.hpp"

namespace halfstep::internal {

class LastGood {
 public:
  explicit LastGood(const Network& network) : weights_(network) {}

  // After each applied step, with the loss that the step started from. True every kEvery steps if their mean loss is
  // below the first loss of the run: the weights deserve to be kept.
  bool due(double loss);
  void keep(const Network& network, std::int64_t applied) { weights_.keep(network, applied); }

  bool any() const { return weights_.any(); }
  std::int64_t applied() const { return weights_.applied(); }
  void restore(Network& network) const { weights_.restore(network); }
  std::size_t memory_bytes() const { return weights_.memory_bytes(); }
  void visit_state(StateVisitor& visitor);

  static constexpr std::int64_t kEvery = 64;

 private:
  WeightCopy weights_;
  std::int64_t steps_ = 0;  // seen by due
  double first_loss_ = 0;
  double sum_ = 0;  // of losses since the last time
};

}  // namespace halfstep::internal
