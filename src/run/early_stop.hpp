// When a run no longer gets better.
#pragma once
#include <cmath>
#include <cstdint>

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

 private:
  MetricKind metric_;
  std::int64_t patience_;
  double best_ = 0;
  std::int64_t best_epoch_ = 0, last_ = 0;
};

}  // namespace halfstep::internal
