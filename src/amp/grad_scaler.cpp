#include "amp/grad_scaler.hpp"

#include <algorithm>
#include <cmath>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

// The nearest fp32 value, ties to even, whatever the flush mode: below 2^-126 fp32 counts in steps of 2^-149, which are
// the last bits of a double near 2^-97.
double round_to_fp32(double x) {
  constexpr double kLeastNormal = 0x1p-126, kStep = 0x1.8p-97;
  return x >= kLeastNormal ? static_cast<double>(static_cast<float>(x)) : (x + kStep) - kStep;
}

}  // namespace

GradScaler::GradScaler(const GradScalerOptions& options)
    : options_(options), scale_(round_to_fp32(options.initial)), credits_(options.hysteresis) {}

float GradScaler::inv_scale() const { return static_cast<float>(1.0 / scale_); }

void GradScaler::update(bool finite, bool smaller_helps) {
  if (!options_.dynamic) return;
  if (finite) {
    if (options_.consecutive_hysteresis) credits_ = options_.hysteresis;
    if (++growth_tracker_ == options_.growth_interval) grow();
  } else if (smaller_helps || !options_.asks_first) {
    growth_tracker_ = 0;
    if (credits_ > 1) {
      --credits_;
    } else {
      shrink();
    }
  }
}

void GradScaler::shrink() {
  scale_ = std::max(round_to_fp32(scale_ * options_.backoff_factor), static_cast<double>(options_.minimum));
}

void GradScaler::grow() {
  growth_tracker_ = 0;
  credits_ = options_.hysteresis;
  const double grown = round_to_fp32(scale_ * options_.growth_factor);
  if (std::isfinite(grown)) scale_ = std::min(grown, static_cast<double>(options_.maximum));
}

void GradScaler::set_scale(float scale) { scale_ = std::clamp(scale, options_.minimum, options_.maximum); }

GradScalerState GradScaler::state() const {
  return {.scale = scale_,
          .growth_factor = options_.growth_factor,
          .backoff_factor = options_.backoff_factor,
          .growth_interval = options_.growth_interval,
          .growth_tracker = growth_tracker_,
          .credits = credits_};
}

bool is_possible(const GradScalerState& state) {
  return state.scale > 0 && state.scale <= std::numeric_limits<float>::max() && state.growth_factor > 1 &&
         std::isfinite(state.growth_factor) && state.backoff_factor > 0 && state.backoff_factor < 1 &&
         state.growth_interval > 0 && state.growth_tracker >= 0 && state.growth_tracker < kMostCount &&
         state.credits > 0;
}

void GradScaler::load(const GradScalerState& state) {
  if (!is_possible(state)) {
    throw Error(Status::format, {.what = "not the state of a loss scaler",
                                 .where = {},
                                 .why = "it is empty or a field is out of range",
                                 .kept = "the scaler as it was",
                                 .hint = {}});
  }
  scale_ = round_to_fp32(state.scale);
  options_.growth_factor = state.growth_factor;
  options_.backoff_factor = state.backoff_factor;
  options_.growth_interval = state.growth_interval;
  growth_tracker_ = state.growth_tracker;
  credits_ = state.credits;
}

void GradScaler::visit_state(StateVisitor& visitor) {
  GradScalerState s = state();
  visitor.number("scale", s.scale);
  visitor.number("growth_factor", s.growth_factor);
  visitor.number("backoff_factor", s.backoff_factor);
  visitor.integer("growth_interval", s.growth_interval);
  visitor.integer("growth_tracker", s.growth_tracker);
  visitor.integer("credits", s.credits);
  if (visitor.loads_scalars()) load(s);
}

}  // namespace halfstep::internal
