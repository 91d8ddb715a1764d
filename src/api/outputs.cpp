#include "api/outputs.hpp"

#include <algorithm>
#include <limits>

#include "base/dtype.hpp"
#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "run/target_value.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {
namespace {

void add_row(const KernelTable& kernels, LossKind loss, const OutputMeaning& meaning, std::span<const float> logits,
             std::vector<float>& out) {
  const std::size_t n = logits.size();
  if (!is_finite_output(logits.data(), n)) {
    out.insert(out.end(), n, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  std::vector<float> row(pad_columns(n));
  if (loss == LossKind::cross_entropy) {
    kernels.softmax(n, logits.data(), row.data());
  } else if (loss == LossKind::binary_cross_entropy) {
    kernels.activate[index_of(Dtype::fp32)](Activation::sigmoid, n, logits.data(), row.data());
  } else {
    std::transform(logits.begin(), logits.end(), row.begin(), [&](float v) {
      return static_cast<float>(target_value(v, meaning.target_mean, meaning.target_scale));
    });
  }
  out.insert(out.end(), row.begin(), row.begin() + static_cast<std::ptrdiff_t>(n));
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
  std::vector<float> out;
  out.reserve(rows * outputs);
  for (std::size_t first = 0; first < rows; first += batch) {
    const std::size_t count = std::min(batch, rows - first);
    loader.load(context, from, {.count = count, .first = first}, network.input());
    network.forward(context, count);
    for (std::size_t i = 0; i < count; ++i) {
      add_row(context.kernels, loss, meaning, {network.logits() + i * network.logits_ld(), outputs}, out);
    }
  }
  return out;
}

}  // namespace halfstep::internal
