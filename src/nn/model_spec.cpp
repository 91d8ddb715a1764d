#include "halfstep/model_spec.hpp"

#include <algorithm>
#include <string>

#include "halfstep/error.hpp"
#include "nn/blocks.hpp"
#include "nn/periodic.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kMostWidth = std::size_t{1} << 20, kMostWidths = 1024;
constexpr std::size_t kMostMembers = 256, kMostEmbedding = 256, kMostSegments = 1024;
constexpr std::size_t kMostRows = std::size_t{1} << 22;  // of all tables of embeddings

std::string fault_of_inputs(const ModelSpec& s);

// What is wrong with it; empty: nothing. Written so that a NaN is wrong.
std::string fault_of(const ModelSpec& s) {
  if (s.widths.size() < 2 || s.widths.size() > kMostWidths) return "it has an impossible number of layers";
  for (const std::size_t width : s.widths) {
    if (width < 1 || width > kMostWidth) return "a layer width of " + std::to_string(width) + " is out of range";
  }
  const auto layers = layer_names();
  if (std::find(layers.begin(), layers.end(), s.layer) == layers.end()) {
    return "its layers are '" + s.layer.substr(0, 64) + "', which is unknown";
  }
  if (s.norm != Norm::none && !layer_takes_norm(s.layer)) return "layers of this kind have no norm";
  if (!s.layer_precision.empty() && s.layer_precision.size() + 1 != s.widths.size()) {
    return "layer_precision does not name each layer";
  }
  if (!(s.dropout >= 0 && static_cast<float>(s.dropout) < 1)) return "dropout is out of range";
  if (!(s.huber_delta > 0)) return "huber_delta is not positive";
  if (!(s.label_smoothing >= 0 && s.label_smoothing < 1)) return "label_smoothing is out of range";
  const bool positive = std::all_of(s.class_weights.begin(), s.class_weights.end(), [](double w) { return w > 0; });
  if (!positive || (!s.class_weights.empty() && s.class_weights.size() != s.widths.back())) {
    return "class_weights do not fit its classes";
  }
  return fault_of_inputs(s);
}

// Of the columns that are embedded, and the members.
std::string fault_of_inputs(const ModelSpec& s) {
  if (s.members < 1 || s.members > kMostMembers) return "the number of its members is out of range";
  if (s.embedded.empty()) {
    if (s.embedding > 0) return "it has the width of an embedding and no column with one";
    return s.members > 1 ? "it has members and no embedded column" : "";
  }
  if (s.embedding < 1 || s.embedding > kMostEmbedding) return "the width of its embedding is out of range";
  if (s.norm == Norm::batch && s.members > 1) return "BatchNorm would mix its members";
  std::size_t inputs = 0, rows = 0;
  for (const ColumnEmbedding& column : s.embedded) {
    if (column.size < 1 || column.size > (column.number ? kMostSegments : kMostWidth)) {
      return "the size of an embedded column is out of range";
    }
    if (column.periodic > (column.number ? kMostPeriodic : 0)) {
      return "the periodic functions of an embedded column are out of range";
    }
    inputs += column.inputs();
    rows += column.size + column.periodic;
  }
  if (inputs != s.widths.front()) return "its embedded columns have another number of inputs than it";
  if (s.embedded.size() * s.embedding > kMostWidth) return "its embedded columns are too wide together";
  if (rows > kMostRows) return "its embedded columns have too many codes";
  if (s.widths.back() * s.members > kMostWidth) return "its members have too many outputs";
  return {};
}

}  // namespace

std::span<const std::string_view> layer_names() { return hidden_layer_names(); }

void validate(const ModelSpec& spec) {
  const std::string fault = fault_of(spec);
  if (fault.empty()) return;
  throw Error(Status::invalid_argument,
              {.what = "there is no such model", .where = {}, .why = fault, .kept = {}, .hint = {}});
}

}  // namespace halfstep
