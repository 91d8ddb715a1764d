// Forward passes over a whole set: metrics and predictions.
#pragma once
#include <functional>

#include "data/examples.hpp"
#include "gemm/gemm.hpp"
#include "halfstep/metrics.hpp"
#include "loss/loss.hpp"
#include "metrics/output_meaning.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

// Calls f(first row, rows, logits, ld) for each batch in order. Logits are fp32; those of an ensemble are one row for
// each example, of what its members say together.
void for_each_batch(GemmContext& context, Network& model, const data::Examples& examples, const OutputMeaning& meaning,
                    const std::function<void(std::size_t, std::size_t, const float*, std::size_t)>& f);

// Calls f(row, logits, spread) for each row in order: the same, and how far the members' values lie apart.
void for_each_row(GemmContext& context, Network& model, const data::Examples& examples, const OutputMeaning& meaning,
                  const std::function<void(std::size_t, const float*, const double*)>& f);

// roc_auc and average_precision, which need all scores and sort them, only `with_ranking`.
Metrics measure(GemmContext& context, Network& model, const data::Examples& examples, const Loss& loss,
                const OutputMeaning& meaning, bool with_ranking);

}  // namespace halfstep::internal
