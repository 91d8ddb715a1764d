#include "metrics/regression_score.hpp"

#include <cmath>
#include <limits>

#include "metrics/regression_error.hpp"

namespace halfstep::internal {
namespace {

// Over those that are numbers.
double mean_of(const std::vector<TargetErrors>& targets, double TargetErrors::*value) {
  double count = 0, mean = 0;
  for (const TargetErrors& target : targets) count += std::isnan(target.*value) ? 0 : 1;
  for (const TargetErrors& target : targets) mean += std::isnan(target.*value) ? 0 : target.*value / count;
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : mean;
}

}  // namespace

void RegressionScore::add(std::size_t row, const float* outputs) {
  const std::size_t targets = residuals_.size();
  non_finite_ += is_finite_output(outputs, targets) ? 0 : 1;
  for (std::size_t t = 0; t < targets; ++t) residuals_[t].push_back(outputs[t] - truths_[row * targets + t]);
}

TargetErrors RegressionScore::errors_of(std::size_t target) const {
  const std::size_t targets = residuals_.size();
  std::vector<double> column;
  for (std::size_t i = target; targets > 1 && i < truths_.size(); i += targets) column.push_back(truths_[i]);
  const std::span<const double> truths = targets > 1 ? std::span<const double>(column) : truths_;
  const std::vector<double>& residuals = residuals_[target];
  const double scale = meaning_.targets[target].scale, rms = root_mean_square(residuals);
  return {.rmse = rms * scale,
          .r2 = r_squared(rms, truths),
          .mae = mean_magnitude(residuals) * scale,
          .median_error = median_magnitude(residuals) * scale};
}

void RegressionScore::finish(Metrics& metrics) const {
  metrics.non_finite = non_finite_;
  for (std::size_t t = 0; t < residuals_.size(); ++t) metrics.targets.push_back(errors_of(t));
  const auto overall = [&](double& to, double TargetErrors::*value) {
    to = metrics.targets.size() == 1 ? metrics.targets[0].*value : mean_of(metrics.targets, value);
    if (non_finite_ > 0 && metrics.targets.size() > 1) to = std::numeric_limits<double>::quiet_NaN();
  };
  overall(metrics.rmse, &TargetErrors::rmse);
  overall(metrics.r2, &TargetErrors::r2);
  overall(metrics.mae, &TargetErrors::mae);
  overall(metrics.median_error, &TargetErrors::median_error);
}

}  // namespace halfstep::internal
