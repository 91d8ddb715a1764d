#include "api/outputs.hpp"

#include <algorithm>
#include <limits>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "loss/loss.hpp"
#include "run/class_probabilities.hpp"
#include "run/target_value.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {
namespace {

void finish_row(const KernelTable& kernels, LossKind loss, const OutputMeaning& meaning, std::size_t outputs,
                const float* logits, float* out) {
  if (!is_finite_output(logits, outputs)) {
    std::fill_n(out, outputs, std::numeric_limits<float>::quiet_NaN());
  } else if (has_labels(loss)) {
    class_probabilities(kernels, loss, outputs, logits, out);
  } else {
    std::transform(logits, logits + outputs, out, [&](float v) {
      return static_cast<float>(target_value(v, meaning.target_mean, meaning.target_scale));
    });
  }
}

}  // namespace

std::vector<float> predict_rows(GemmContext& context, Network& network, LossKind loss, const OutputMeaning& meaning,
                                std::span<const float> x) {
  const std::size_t features = network.shape().widths.front(), outputs = network.shape().widths.back();
  if (x.size() % features != 0) {
    throw Error(Status::invalid_argument, {.what = "these rows do not fit the model",
                                           .where = {},
                                           .why = "the numbers are not whole rows of " + std::to_string(features),
                                           .kept = {},
                                           .hint = {}});
  }
  const FpEnvGuard fp_env;
  const std::size_t rows = x.size() / features, batch = network.shape().max_rows;
  RowLoader loader(features, context.executor.threads());
  const InputRows from = {.features = features, .x = x.data()};
  std::vector<float> row(pad_columns(outputs)), out;
  out.reserve(rows * outputs);
  for (std::size_t first = 0; first < rows; first += batch) {
    const std::size_t count = std::min(batch, rows - first);
    loader.load(context, from, {.count = count, .first = first}, network.input());
    network.forward(context, count);
    for (std::size_t i = 0; i < count; ++i) {
      finish_row(context.kernels, loss, meaning, outputs, network.logits() + i * network.logits_ld(), row.data());
      out.insert(out.end(), row.begin(), row.begin() + static_cast<std::ptrdiff_t>(outputs));
    }
  }
  return out;
}

}  // namespace halfstep::internal
