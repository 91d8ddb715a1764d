// Probabilities that mean what they say: temperature scaling (Guo, Pleiss, Sun and Weinberger, 2017, "On calibration of
// modern neural networks").
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "metrics/output_meaning.hpp"

namespace halfstep::internal {

// What a classifier said of rows that it was not trained on.
struct SaidOfRows {
  std::size_t columns = 0;
  std::vector<float> logits;         // rows x columns
  std::vector<std::int32_t> labels;  // of each row
  std::vector<double> weights;       // of each row, at least 0
};

// Mean loss by the probabilities, with all logits divided by `temperature`; NaN where no row counts.
double loss_at(const SaidOfRows& said, const OutputMeaning& meaning, double temperature);

// The temperature at which the loss is least, held to 1 where rows are few: it is 1 / b, b with the least
//   sum of the rows' losses + (b - 1)^2 / (2 * 0.25^2),
// as if 40 rows had said before that b is about 1: of so many rows alone b would be known to about 0.25. Convex, and
// from 1/20 to 20. Four digits, so that the last bit of a machine's exp does not count. 1 where a logit is not finite.
double fit_temperature(const SaidOfRows& said, const OutputMeaning& meaning);

// What the rows' mean loss can be brought down to by a temperature: what a model is worth that will be calibrated, and
// what its epochs are best compared by (Berta, Holzmueller, Jordan and Bach, 2025, "Rethinking early stopping: refine,
// then calibrate"). The least over b of
//   (sum of the rows' losses + (b - 1)^2 / (2 * 0.125^2)) / rows:
// a stronger hold, as if of 160 rows, for the best of many epochs is soon one that few rows are lucky with. NaN where
// a logit is not finite or no row counts.
double calibrated_loss(const SaidOfRows& said, const OutputMeaning& meaning);

}  // namespace halfstep::internal
