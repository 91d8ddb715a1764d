// The loss scale as a state machine. Power-of-two scales make unscaling exact.
#pragma once
#include <cstdint>

namespace halfstep {

struct GradScalerOptions {
  bool dynamic = true;
  float initial = 65536;
  float growth_factor = 2;
  float backoff_factor = 0.5f;
  std::int64_t growth_interval = 2000;
  float minimum = 1;
  float maximum = 16777216;
};

class GradScaler {
 public:
  explicit GradScaler(const GradScalerOptions& options);

  float scale() const { return scale_; }
  float inv_scale() const;  // reciprocal taken in double, rounded once
  std::int64_t growth_tracker() const { return growth_tracker_; }
  bool dynamic() const { return options_.dynamic; }
  // At the floor after an overflow: shrinking further cannot help.
  bool at_minimum() const { return !options_.dynamic || scale_ <= options_.minimum; }

  // After each attempted step. Not finite: the scale shrinks to at least the minimum and the tracker restarts.
  // Finite: after growth_interval good steps in a row the scale grows, up to the maximum.
  void update(bool finite);

 private:
  GradScalerOptions options_;
  float scale_;
  std::int64_t growth_tracker_ = 0;
};

}  // namespace halfstep
