#include "run/spec_of.hpp"

#include <algorithm>

#include "data/embedded_column.hpp"
#include "halfstep/error.hpp"
#include "loss/loss.hpp"
#include "run/class_weights.hpp"
#include "run/output_meaning.hpp"
#include "run/precision.hpp"

namespace halfstep::internal {
namespace {

// A number of so few values has a knot at each, so that it is any function of them already.
constexpr std::int64_t kSegmentsOfFew = 24;

[[noreturn]] void refuse(std::string where, std::string why, std::string hint) {
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = std::move(where),
                                         .why = std::move(why),
                                         .kept = {},
                                         .hint = std::move(hint)});
}

LossKind choose_loss(const Options& options, bool classify) {
  if (options.loss == "auto") return classify ? LossKind::cross_entropy : LossKind::mse;
  const std::optional<LossKind> loss = from_name<LossKind>(options.loss);
  if (loss && has_labels(*loss) == classify) return *loss;
  throw Error(Status::invalid_argument,
              {.what = "the loss does not fit the task",
               .where = "--loss " + options.loss,
               .why = classify ? "the target has classes" : "the target is a number",
               .kept = {},
               .hint = classify ? "--loss cross_entropy or binary_cross_entropy" : "--loss mse or huber"});
}

// A run never starts with a parameter it ignores; that the target is a number may have shown only now.
void refuse_cross_entropy(const Options& options) {
  if (options.label_smoothing == 0 && options.class_weights.empty()) return;
  refuse(options.label_smoothing > 0 ? "--label-smoothing" : "--class-weights",
         "only cross_entropy has it, and the target is a number", "--task classify");
}

// How wide the input is shows only now.
void check_residual(const ModelSpec& spec) {
  std::vector<std::size_t> widths = spec.widths;
  if (!spec.embedded.empty()) widths.front() = spec.embedded.size() * spec.embedding;
  if (!spec.residual || std::adjacent_find(widths.begin(), widths.end() - 1) != widths.end() - 1) return;
  refuse("--residual", "no hidden layer is as wide as its input", "--hidden 128,128");
}

// What the columns of a table become, and the members that read them.
void embed(const data::Preprocessor& preprocessor, const Options& options, ModelSpec& spec) {
  spec.embedded = data::embedded_columns(preprocessor.recipe());
  spec.members = static_cast<std::size_t>(options.ensemble);
  if (!spec.embedded.empty()) {
    spec.embedding = static_cast<std::size_t>(std::max<std::int64_t>(options.embedding, 1));
    const auto many = static_cast<std::size_t>(std::min(options.bins, kSegmentsOfFew));
    for (ColumnEmbedding& column : spec.embedded) {
      if (column.number && column.size >= many) column.periodic = static_cast<std::size_t>(options.periodic);
    }
  } else if (options.embedding > 0 || options.ensemble > 1) {
    refuse(options.embedding > 0 ? "--embedding" : "--ensemble", "only the columns of a table are embedded",
           "leave it out");
  }
}

std::size_t outputs_of(const data::Preprocessor& preprocessor, LossKind loss) {
  const OutputMeaning meaning = output_meaning(preprocessor, loss);
  if (!meaning.classification) return meaning.targets.size();
  return meaning.single_logit ? 1 : preprocessor.classes().size();
}

}  // namespace

ModelSpec spec_of(const Prepared& prepared, const Options& options) {
  const data::Preprocessor& preprocessor = prepared.preprocessor;
  ModelSpec spec;
  spec.loss = choose_loss(options, preprocessor.task() == Task::classify);
  spec.widths.push_back(preprocessor.features());
  for (const std::int64_t width : options.hidden) spec.widths.push_back(static_cast<std::size_t>(width));
  spec.widths.push_back(outputs_of(preprocessor, spec.loss));
  spec.layer = options.layer;
  spec.activation = options.activation;
  spec.norm = options.norm;
  spec.dropout = options.dropout;
  spec.residual = options.residual;
  spec.precision = options.precision;
  spec.layer_precision = layer_dtypes(options, options.hidden.size() + 1);
  spec.huber_delta = options.huber_delta;
  if (spec.loss == LossKind::cross_entropy) {
    spec.label_smoothing = options.label_smoothing;
    spec.class_weights = class_weights(options.class_weights, preprocessor.classes(), prepared.train.labels);
  } else {
    refuse_cross_entropy(options);
  }
  embed(preprocessor, options, spec);
  check_residual(spec);
  return spec;
}

}  // namespace halfstep::internal
