#include "run/model_spec_json.hpp"

#include "halfstep/error.hpp"
#include "run/bad_model.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

template <Named E>
E read_name(const std::string& path, const char* key, const std::string& text) {
  const std::optional<E> value = from_name<E>(text);
  if (!value) bad_model(path, std::string(key) + " is '" + text.substr(0, 64) + "', which is unknown");
  return *value;
}

void read_widths(const std::string& path, const json::Value& value, ModelSpec& spec) {
  for (const json::Value& width : value.at("widths").as_array()) {
    const std::int64_t w = width.as_integer();
    if (w < 0) bad_model(path, "a layer width of " + std::to_string(w) + " is out of range");
    spec.widths.push_back(static_cast<std::size_t>(w));
  }
}

void read_layer_precision(const std::string& path, const json::Value& value, ModelSpec& spec) {
  const json::Value* layers = value.find("layer_precision");
  if (!layers) return;  // older files have one precision
  for (const json::Value& dtype : layers->as_array()) {
    spec.layer_precision.push_back(read_name<Dtype>(path, "layer_precision", dtype.as_string()));
  }
  if (spec.layer_precision.empty()) bad_model(path, "layer_precision does not name each layer");
}

std::size_t read_count(const std::string& path, const json::Value& value, const char* key) {
  const std::int64_t count = value.at(key).as_integer();
  if (count < 0) bad_model(path, std::string(key) + " is negative");
  return static_cast<std::size_t>(count);
}

void read_embedded(const std::string& path, const json::Value& value, ModelSpec& spec) {
  const json::Value* columns = value.find("embedded");
  if (!columns) return;
  for (const json::Value& column : columns->as_array()) {
    const std::string& kind = column.at("kind").as_string();
    if (kind != "number" && kind != "category") bad_model(path, "an embedded column is of an unknown kind");
    spec.embedded.push_back({kind == "number", read_count(path, column, "size")});
    if (column.find("periodic")) spec.embedded.back().periodic = read_count(path, column, "periodic");
  }
  spec.embedding = read_count(path, value, "embedding");
  spec.members = read_count(path, value, "members");
}

void check(const std::string& path, const ModelSpec& spec) {
  try {
    validate(spec);
  } catch (const Error& error) {
    bad_model(path, error.parts().why);
  }
}

}  // namespace

json::Value to_json(const ModelSpec& spec) {
  json::Array widths, layers, weights;
  for (const std::size_t width : spec.widths) widths.emplace_back(width);
  for (const Dtype dtype : layer_dtypes(spec)) layers.emplace_back(name(dtype));
  for (const double weight : spec.class_weights) weights.emplace_back(weight);
  json::Object out = {{"widths", widths},
                      {"activation", name(spec.activation)},
                      {"norm", name(spec.norm)},
                      {"residual", spec.residual},
                      {"loss", name(spec.loss)},
                      {"huber_delta", spec.huber_delta},
                      {"label_smoothing", spec.label_smoothing},
                      {"class_weights", weights},
                      {"precision", name(spec.precision)},
                      {"layer_precision", layers}};
  if (spec.layer != ModelSpec().layer) out.emplace_back("layer", spec.layer);  // an older program reads the others
  if (!spec.embedded.empty()) {
    json::Array columns;
    for (const ColumnEmbedding& c : spec.embedded) {
      json::Object column = {{"kind", c.number ? "number" : "category"}, {"size", c.size}};
      if (c.periodic > 0) column.emplace_back("periodic", c.periodic);  // an older program reads the others
      columns.emplace_back(std::move(column));
    }
    out.emplace_back("embedded", std::move(columns));
    out.emplace_back("embedding", spec.embedding);
    out.emplace_back("members", spec.members);
  }
  return out;
}

ModelSpec model_spec_from_json(const std::string& path, const json::Value& value) {
  ModelSpec spec;
  read_widths(path, value, spec);
  if (const json::Value* v = value.find("layer")) spec.layer = v->as_string();
  spec.activation = read_name<Activation>(path, "activation", value.at("activation").as_string());
  if (const json::Value* v = value.find("norm")) spec.norm = read_name<Norm>(path, "norm", v->as_string());
  if (const json::Value* v = value.find("residual")) spec.residual = v->as_bool();
  spec.loss = read_name<LossKind>(path, "loss", value.at("loss").as_string());
  spec.precision = read_name<Dtype>(path, "precision", value.at("precision").as_string());
  read_layer_precision(path, value, spec);
  spec.huber_delta = value.at("huber_delta").as_number();
  if (const json::Value* v = value.find("label_smoothing")) spec.label_smoothing = v->as_number();
  if (const json::Value* v = value.find("class_weights")) {
    for (const json::Value& weight : v->as_array()) spec.class_weights.push_back(weight.as_number());
  }
  read_embedded(path, value, spec);
  check(path, spec);
  return spec;
}

}  // namespace halfstep::internal
