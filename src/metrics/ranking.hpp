// How well scores put the rows of a class before the others.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace halfstep::internal {

struct Ranking {
  double roc_auc;            // chance that a row of the class has a higher score than another row, ties half
  double average_precision;  // sum over the thresholds of (recall gained) * precision
};

// The score of row i is scores[i * stride]; `positive` is the class. Both are NaN where all rows or none are of the
// class, or a score is NaN.
Ranking rank(std::span<const double> scores, std::size_t stride, std::span<const std::int32_t> labels,
             std::int32_t positive);

}  // namespace halfstep::internal
