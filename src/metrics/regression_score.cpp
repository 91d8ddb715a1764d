#include "metrics/regression_score.hpp"

#include "metrics/regression_error.hpp"

namespace halfstep::internal {

void RegressionScore::add(std::size_t row, const float* outputs) {
  non_finite_ += is_finite_output(outputs, columns_) ? 0 : 1;
  residuals_.push_back(outputs[0] - truths_[row]);
}

void RegressionScore::finish(Metrics& metrics) const {
  metrics.non_finite = non_finite_;
  const double rms = root_mean_square(residuals_);
  metrics.rmse = rms * meaning_.target_scale;
  metrics.r2 = r_squared(rms, truths_);
  metrics.mae = mean_magnitude(residuals_) * meaning_.target_scale;
  metrics.median_error = median_magnitude(residuals_) * meaning_.target_scale;
}

}  // namespace halfstep::internal
