// Forward passes over a whole set: metrics and predictions.
#pragma once
#include <functional>

#include "data/examples.hpp"
#include "gemm/gemm.hpp"
#include "halfstep/metrics.hpp"
#include "loss/loss.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

// How outputs are read: classes, or values to be brought back to target units.
struct OutputMeaning {
  bool classification = true;
  bool softmax = true;        // of cross_entropy; else each output is of a logistic function
  bool single_logit = false;  // binary classification with one output
  double target_mean = 0;
  double target_scale = 1;
};

// Calls f(first row, rows, logits, ld) for each batch in order. Logits are fp32.
void for_each_batch(GemmContext& context, Network& model, const data::Examples& examples,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f);

// An inf is an overflow on the way, as good as a NaN: softmax makes one of it.
bool is_finite_output(const float* logits, std::size_t columns);

// The class an example is given; NaN logits never win.
std::size_t predicted_class(const float* logits, std::size_t columns, bool single_logit);

// roc_auc and average_precision, which need all scores and sort them, only `with_ranking`.
Metrics measure(GemmContext& context, Network& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning, bool with_ranking);

}  // namespace halfstep::internal
