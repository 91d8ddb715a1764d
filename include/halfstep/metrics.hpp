// How good a model is on a set.
#pragma once
#include <cstdint>

namespace halfstep {

// Quality on one split. For classification `accuracy` counts; for regression `rmse` and `r2`, in target units. r2 is
// NaN where all targets are the same.
struct Metrics {
  std::int64_t rows = 0;
  std::int64_t non_finite = 0;  // of them, without a finite output: never right, and `loss`, `rmse`, `r2` are NaN
  double loss = 0;
  bool classification = true;
  double accuracy = 0;
  double rmse = 0;
  double r2 = 0;
};

}  // namespace halfstep
