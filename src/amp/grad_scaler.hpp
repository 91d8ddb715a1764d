// The loss scale as a state machine. Power-of-two scales make unscaling exact.
#pragma once
#include <cstdint>
#include <limits>

#include "base/state.hpp"

namespace halfstep::internal {

struct GradScalerOptions {
  bool dynamic = true;     // false: the scale never moves
  double initial = 65536;  // rounded to fp32
  double growth_factor = 2;
  double backoff_factor = 0.5;
  std::int64_t growth_interval = 2000;
  float minimum = 1;
  float maximum = 0x1p24f;
  // An overflow shrinks the scale only when it has used up the credits; the next growth refills them, or the next good
  // step where `consecutive_hysteresis` says so. 1: every overflow shrinks. As in DeepSpeed and Megatron.
  std::int64_t hysteresis = 1;
  bool consecutive_hysteresis = false;
  bool asks_first = true;  // a step that no scale could have saved leaves the scale alone
};

// PyTorch's GradScaler with its defaults: no floor, no ceiling but fp32's range, and it shrinks whatever the cause.
constexpr GradScalerOptions compatible_scaler() {
  GradScalerOptions options;
  options.minimum = 0;
  options.maximum = std::numeric_limits<float>::infinity();
  options.asks_first = false;
  return options;
}

// What a checkpoint keeps. The first five are the fields of PyTorch's state dictionary.
struct GradScalerState {
  double scale = 0;
  double growth_factor = 2;
  double backoff_factor = 0.5;
  std::int64_t growth_interval = 2000;
  std::int64_t growth_tracker = 0;
  std::int64_t credits = 1;  // of hysteresis
};
// False where a field cannot be that of a scaler (an empty state has the scale 0).
bool is_possible(const GradScalerState& state);

class GradScaler {
 public:
  explicit GradScaler(const GradScalerOptions& options);

  float scale() const { return static_cast<float>(scale_); }
  float inv_scale() const;  // reciprocal taken in double, rounded once
  std::int64_t growth_tracker() const { return growth_tracker_; }
  bool dynamic() const { return options_.dynamic; }
  // Nothing below to shrink to.
  bool at_minimum() const { return !options_.dynamic || scale_ <= static_cast<double>(options_.minimum); }

  // After each attempted step. Not finite: the scale shrinks to at least the minimum and the tracker restarts, unless
  // no smaller scale could have helped and the scaler asks first. Finite: after growth_interval good steps in a row the
  // scale grows, up to the maximum; a growth beyond fp32's range is not applied.
  void update(bool finite, bool smaller_helps = true);
  // By hand, within minimum and maximum; the tracker stays as it was.
  void set_scale(float scale);

  GradScalerState state() const;
  // Throws Error(format) when the state is not possible.
  void load(const GradScalerState& state);
  void visit_state(StateVisitor& visitor);

 private:
  void shrink();
  void grow();

  GradScalerOptions options_;
  double scale_;  // always a value of fp32; in double because fp32 subnormals are flushed during a step
  std::int64_t growth_tracker_ = 0;
  std::int64_t credits_;
};

}  // namespace halfstep::internal
