#include "run/scaling.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "run/precision.hpp"

namespace halfstep::internal {
namespace {

// The gradient of a mean by one logit is at most 1 / batch: this leaves a factor of two below fp16's largest.
float scale_for_batch(std::int64_t rows) {
  const double batch = std::exp2(std::floor(std::log2(static_cast<double>(rows))));
  return static_cast<float>(std::min(65536.0, 32768.0 * batch));
}

GradScalerOptions fixed_scaler(const std::string& text) {
  GradScalerOptions s;
  double scale = 1;  // "none", and "auto" where nothing can underflow
  if (text != "none" && text != "auto") std::from_chars(text.data(), text.data() + text.size(), scale);
  s.dynamic = false;
  s.initial = static_cast<float>(scale);
  return s;
}

GradScalerOptions moving_scaler(const Options& options) {
  GradScalerOptions s;
  s.initial = scale_for_batch(options.batch * options.accumulate);
  s.minimum = static_cast<float>(options.scale_min);
  s.maximum = static_cast<float>(options.scale_max);
  return s;
}

}  // namespace

GradScalerOptions scaler_options(const Options& options) {
  const std::string& rule = options.loss_scale;
  const bool dynamic = rule == "dynamic" || (rule == "auto" && stores(options, Dtype::fp16));
  if (!dynamic && rule != "compatible" && rule != "headroom") return fixed_scaler(rule);

  GradScalerOptions s = rule == "compatible" ? compatible_scaler() : moving_scaler(options);
  if (options.scale_init > 0) s.initial = static_cast<float>(options.scale_init);
  s.growth_factor = options.scale_growth;
  s.backoff_factor = options.scale_backoff;
  s.growth_interval = options.scale_interval;
  s.hysteresis = options.scale_hysteresis;
  s.consecutive_hysteresis = options.scale_consecutive_hysteresis;
  if (rule == "headroom") s.growth_interval = std::numeric_limits<std::int64_t>::max();  // Headroom raises the scale
  return s;
}

}  // namespace halfstep::internal
