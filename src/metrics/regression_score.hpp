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
  // `columns` outputs a row, of which the first counts. `truths`: standardised, of each row.
  RegressionScore(std::span<const double> truths, const OutputMeaning& meaning, std::size_t columns)
      : truths_(truths), meaning_(meaning), columns_(columns) {}

  void add(std::size_t row, const float* outputs);
  void finish(Metrics& metrics) const;

 private:
  std::span<const double> truths_;
  const OutputMeaning& meaning_;
  std::size_t columns_;
  std::int64_t non_finite_ = 0;
  std::vector<double> residuals_;  // standardised
};

}  // namespace halfstep::internal
