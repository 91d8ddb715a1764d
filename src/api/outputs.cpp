#include "api/outputs.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "loss/loss.hpp"
#include "run/class_probabilities.hpp"
#include "run/target_value.hpp"

namespace halfstep::internal {

RowPredictor::RowPredictor(GemmContext& context, const Networks& networks, LossKind loss, const OutputMeaning& meaning)
    : context_(context),
      loss_(loss),
      meaning_(meaning),
      said_(context, networks, meaning),
      row_(pad_columns(outputs())) {}

std::size_t RowPredictor::outputs_for(std::size_t numbers) const {
  if (numbers % features() == 0) return numbers / features() * outputs();
  throw Error(Status::invalid_argument, {.what = "these rows do not fit the model",
                                         .where = {},
                                         .why = "the numbers are not whole rows of " + std::to_string(features()),
                                         .kept = {},
                                         .hint = {}});
}

void RowPredictor::finish_row(const float* logits, float* out) {
  if (!is_finite_output(logits, outputs())) {
    std::fill_n(out, outputs(), std::numeric_limits<float>::quiet_NaN());
  } else if (has_labels(loss_)) {
    class_probabilities(context_.kernels, loss_, outputs(), logits, row_.data());
    std::copy_n(row_.data(), outputs(), out);
  } else {
    for (std::size_t t = 0; t < outputs(); ++t) {
      const TargetUnits& units = meaning_.targets[t];
      out[t] = static_cast<float>(target_value(logits[t], units.mean, units.scale));
    }
  }
}

void RowPredictor::run(std::span<const float> x, float* out) {
  const FpEnvGuard fp_env;
  const std::size_t rows = x.size() / features(), batch = said_.most_rows();
  const InputRows from = {.features = features(), .x = x.data()};
  for (std::size_t first = 0; first < rows; first += batch) {
    const std::size_t count = std::min(batch, rows - first);
    said_.pass(from, {.count = count, .first = first});
    for (std::size_t i = 0; i < count; ++i, out += outputs()) finish_row(said_.of(i), out);
  }
}

}  // namespace halfstep::internal
