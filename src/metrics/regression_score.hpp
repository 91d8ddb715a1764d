// What the outputs of a regression say about it, row by row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "halfstep/metrics.hpp"
#include "metrics/output_meaning.hpp"

namespace halfstep::internal {

class RegressionScore {
 public:
  // `truths`: standardised, rows x meaning.targets.
  RegressionScore(std::span<const double> truths, const OutputMeaning& meaning)
      : truths_(truths), meaning_(meaning), residuals_(meaning.targets.size()) {}

  void add(std::size_t row, const float* outputs);
  void finish(Metrics& metrics) const;

 private:
  TargetErrors errors_of(std::size_t target) const;

  std::span<const double> truths_;
  const OutputMeaning& meaning_;
  std::int64_t non_finite_ = 0;
  std::vector<std::vector<double>> residuals_;  // standardised, of each target
};

}  // namespace halfstep::internal
