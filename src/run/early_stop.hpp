// What a run makes of its held-out metric, epoch by epoch: the best so far, when it no longer gets better, and when its
// learning rate is to drop.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/state.hpp"
#include "halfstep/metrics.hpp"

namespace halfstep::internal {

class EarlyStop {
 public:
  // Ends after so many epochs in a row without a better value; `patience` 0: never.
  EarlyStop(MetricKind metric, std::int64_t patience) : metric_(metric), patience_(patience) {}

  // After each epoch, from 1. Whether it is the best so far: the first of equal ones is; NaN never is.
  bool see(std::int64_t epoch, const Metrics& held_out) {
    const double value = value_of(held_out, metric_);
    const bool better =
        best_epoch_ == 0 ? !std::isnan(value) : (higher_is_better(metric_) ? value > best_ : value < best_);
    if (better) {
      best_ = value;
      best_epoch_ = epoch;
    }
    last_ = epoch;
    return better;
  }
  bool over() const { return patience_ > 0 && last_ - best_epoch_ >= patience_; }
  std::int64_t best_epoch() const { return best_epoch_; }  // 0: none yet

  void visit_state(StateVisitor& visitor) {
    visitor.number("best", best_);
    visitor.value("best_epoch", best_epoch_);
    visitor.value("last", last_);
    if (!visitor.loads_scalars()) return;
    if (best_epoch_ > last_) visitor.out_of_range("best_epoch");
    if (best_epoch_ > 0 && std::isnan(best_)) visitor.out_of_range("best");
  }

 private:
  MetricKind metric_;
  std::int64_t patience_;
  double best_ = 0;
  std::int64_t best_epoch_ = 0, last_ = 0;
};

// The schedule plateau: after `patience` epochs without a best one, counted from the last drop, the rate drops.
class Plateau {
 public:
  Plateau(std::int64_t patience, double decay) : patience_(patience), decay_(decay) {}

  // After each epoch, with the best so far. What the rate is to be multiplied by from now on.
  double see(std::int64_t epoch, std::int64_t best_epoch) {
    if (epoch - std::max(best_epoch, dropped_) >= patience_) {
      factor_ *= decay_;
      dropped_ = epoch;
    }
    return factor_;
  }

  double factor() const { return factor_; }

  void visit_state(StateVisitor& visitor) {
    visitor.number("factor", factor_);
    visitor.value("dropped", dropped_);
    if (visitor.loads_scalars() && !(factor_ >= 0 && factor_ <= 1)) visitor.out_of_range("factor");
  }

 private:
  std::int64_t patience_;
  double decay_;
  double factor_ = 1;
  std::int64_t dropped_ = 0;  // in which epoch
};

}  // namespace halfstep::internal
