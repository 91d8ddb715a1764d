#include "train/last_good.hpp"

namespace halfstep::internal {

bool LastGood::due(double loss) {
  if (steps_++ == 0) first_loss_ = loss;
  sum_ += loss;
  if (steps_ % kEvery != 0) return false;
  const bool good = sum_ / kEvery < first_loss_;  // a NaN is not
  sum_ = 0;
  return good;
}

void LastGood::visit_state(StateVisitor& visitor) {
  weights_.visit_state(visitor);
  visitor.value("steps", steps_);
  visitor.number("first_loss", first_loss_);
  visitor.number("loss_sum", sum_);
}

}  // namespace halfstep::internal
