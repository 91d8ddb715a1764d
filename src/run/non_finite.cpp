#include "run/non_finite.hpp"

#include <algorithm>

#include "halfstep/error.hpp"
#include "run/check_finite.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kListed = 10;

std::string list(std::span<const std::int64_t> rows) {
  if (rows.empty()) return {};
  std::string text = rows.size() == 1 ? "row " : "rows ";
  const std::size_t shown = std::min(rows.size(), kListed);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + std::to_string(rows[i] + 1);
  return shown == rows.size() ? text : text + " and " + std::to_string(rows.size() - shown) + " more";
}

bool standardises(const SavedModel& model) {
  return std::find(model.config.begin(), model.config.end(),
                   std::pair<std::string, std::string>("standardize", "none")) == model.config.end();
}

std::string without_fp16(const SavedModel& model) {
  if (model.spec.precision != Dtype::fp16) return "train without fp16 in --layer-precision";
  return "train with --precision bf16, which has the range of fp32";
}

}  // namespace

std::string non_finite_warning(const SavedModel& model, std::int64_t count, std::int64_t of,
                               std::span<const std::int64_t> rows) {
  const std::vector<Dtype> dtypes = layer_dtypes(model.spec);
  const bool fp16 = std::find(dtypes.begin(), dtypes.end(), Dtype::fp16) != dtypes.end();
  const bool raw = !standardises(model);
  ErrorParts parts;
  parts.what = std::to_string(count) + " of " + std::to_string(of) + " rows have no finite output";
  parts.where = list(rows);
  if (!not_finite(model).empty()) {
    parts.why = "a weight of the model is inf or NaN";
    parts.hint = "another model";
  } else if (fp16) {
    parts.why = "fp16 holds up to 65504, and an input or a layer's output is beyond";
    parts.hint = without_fp16(model) + (raw ? ", or with --standardize auto" : "");
  } else {
    parts.why =
        "an input or a layer's output is beyond what " + std::string(name(model.spec.precision)) + " holds, 3.4e38";
    parts.hint = raw ? "train with --standardize auto" : "train again, with a smaller --lr";
  }
  return Error(Status::limit, parts).what();
}

std::string bad_weights_warning(const SavedModel& model) {
  const std::string bad = not_finite(model);
  if (bad.empty()) return {};
  const ErrorParts parts = {.what = "weights of the model are inf or NaN",
                            .where = {},
                            .why = bad,
                            .kept = "the outputs, which are finite all the same",
                            .hint = "another model"};
  return Error(Status::limit, parts).what();
}

}  // namespace halfstep::internal
