#include "run/model_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "io/safetensors.hpp"
#include "text/json.hpp"

namespace halfstep {
namespace {

constexpr std::array<std::string_view, 4> kLosses = {"cross_entropy", "binary_cross_entropy", "mse", "huber"};
constexpr std::array<std::string_view, 10> kActivations = {
    "identity", "relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "leaky_relu", "elu", "softplus"};
constexpr std::array<std::string_view, 4> kNorms = {"none", "layer", "rms", "batch"};
constexpr std::array<std::string_view, 3> kPrecisions = {"fp32", "bf16", "fp16"};
constexpr std::int64_t kMaxWidth = 1 << 20;
constexpr std::size_t kMaxLayers = 1024;

// What normalisation brings to a layer, in canonical order.
std::span<const char* const> tensors_of(Norm norm) {
  constexpr static const char* kNames[] = {"gamma", "beta", "running_mean", "running_var"};
  constexpr std::size_t kCounts[] = {0, 2, 1, 4};
  return {kNames, kCounts[static_cast<std::size_t>(norm)]};
}

[[noreturn]] void bad_model(const std::string& path, const std::string& why) {
  throw Error(Status::format, {.what = "not a halfstep model",
                               .where = path,
                               .why = why,
                               .kept = {},
                               .hint = "a file written by 'halfstep train'"});
}

template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N>& names, const std::string& path, const std::string& key,
                     const std::string& value) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == value) return i;
  }
  bad_model(path, key + " is '" + value.substr(0, 64) + "', which is unknown");
}

const std::string& metadata(const io::File& file, const std::string& path, std::string_view key) {
  const std::string* value = file.find_metadata(key);
  if (!value) bad_model(path, "metadata '" + std::string(key) + "' is missing");
  return *value;
}

json::Value model_json(const SavedModel& model) {
  json::Array widths, layers, weights;
  for (std::size_t width : model.widths) widths.emplace_back(width);
  for (Dtype dtype : model.layer_dtypes) layers.emplace_back(name(dtype));
  for (double weight : model.cross_entropy.class_weights) weights.emplace_back(weight);
  return json::Object{{"widths", widths},
                      {"activation", activation_name(model.activation)},
                      {"norm", name(model.norm)},
                      {"residual", model.residual},
                      {"loss", loss_name(model.loss)},
                      {"huber_delta", model.huber_delta},
                      {"label_smoothing", model.cross_entropy.label_smoothing},
                      {"class_weights", weights},
                      {"precision", name(model.precision)},
                      {"layer_precision", layers}};
}

// The names are those of PyTorch's state dictionary, and one of our own.
json::Value scaler_json(const GradScalerState& s) {
  return json::Object{{"scale", s.scale},
                      {"growth_factor", s.growth_factor},
                      {"backoff_factor", s.backoff_factor},
                      {"growth_interval", s.growth_interval},
                      {"_growth_tracker", s.growth_tracker},
                      {"credits", s.credits}};
}

// Fields that an older file does not have keep their defaults.
GradScalerState read_scaler_json(const std::string& path, const json::Value& value) {
  GradScalerState s;
  s.scale = value.at("scale").as_number();
  if (!(s.scale > 0)) bad_model(path, "its loss scale is not positive");
  if (const json::Value* v = value.find("growth_factor")) s.growth_factor = v->as_number();
  if (const json::Value* v = value.find("backoff_factor")) s.backoff_factor = v->as_number();
  if (const json::Value* v = value.find("growth_interval")) s.growth_interval = v->as_integer();
  if (const json::Value* v = value.find("_growth_tracker")) s.growth_tracker = v->as_integer();
  if (const json::Value* v = value.find("credits")) s.credits = v->as_integer();
  return s;
}

// Older files have neither.
void read_cross_entropy(const std::string& path, const json::Value& value, SavedModel& model) {
  CrossEntropyOptions& c = model.cross_entropy;
  if (const json::Value* v = value.find("label_smoothing")) c.label_smoothing = v->as_number();
  if (!(c.label_smoothing >= 0 && c.label_smoothing < 1)) bad_model(path, "label_smoothing is out of range");
  const json::Value* weights = value.find("class_weights");
  if (!weights || weights->as_array().empty()) return;
  for (const json::Value& w : weights->as_array()) c.class_weights.push_back(w.as_number());
  const bool positive = std::all_of(c.class_weights.begin(), c.class_weights.end(), [](double w) { return w > 0; });
  if (!positive || c.class_weights.size() != model.widths.back())
    bad_model(path, "class_weights do not fit its classes");
}

void read_model_json(const std::string& path, const json::Value& value, SavedModel& model) {
  const json::Array& widths = value.at("widths").as_array();
  if (widths.size() < 2 || widths.size() > kMaxLayers) bad_model(path, "it has an impossible number of layers");
  for (const json::Value& width : widths) {
    const std::int64_t w = width.as_integer();
    if (w < 1 || w > kMaxWidth) bad_model(path, "a layer width of " + std::to_string(w) + " is out of range");
    model.widths.push_back(static_cast<std::size_t>(w));
  }
  model.activation =
      static_cast<Activation>(index_of(kActivations, path, "activation", value.at("activation").as_string()));
  if (const json::Value* norm = value.find("norm")) {  // older files have none
    model.norm = static_cast<Norm>(index_of(kNorms, path, "norm", norm->as_string()));
  }
  if (const json::Value* residual = value.find("residual")) model.residual = residual->as_bool();
  model.loss = static_cast<LossKind>(index_of(kLosses, path, "loss", value.at("loss").as_string()));
  model.precision = static_cast<Dtype>(index_of(kPrecisions, path, "precision", value.at("precision").as_string()));
  model.layer_dtypes.assign(model.widths.size() - 1, model.precision);
  if (const json::Value* layers = value.find("layer_precision")) {  // older files have one precision
    const json::Array& names = layers->as_array();
    if (names.size() != model.layer_dtypes.size()) bad_model(path, "layer_precision does not name each layer");
    for (std::size_t i = 0; i < names.size(); ++i) {
      model.layer_dtypes[i] = static_cast<Dtype>(index_of(kPrecisions, path, "layer_precision", names[i].as_string()));
    }
  }
  model.huber_delta = value.at("huber_delta").as_number();
  if (!(model.huber_delta > 0)) bad_model(path, "huber_delta is not positive");
  read_cross_entropy(path, value, model);
}

std::int64_t read_step(const std::string& path, const std::string& text) {
  std::int64_t step = -1;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), step);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || step < 0) {
    bad_model(path, "halfstep.step is not a step number");
  }
  return step;
}

// Exactly the tensors that the description asks for, so that building the model allocates no more than the file holds.
std::vector<NamedTensor> read_tensors(const std::string& path, const io::File& file, const SavedModel& model) {
  const std::vector<std::size_t>& widths = model.widths;
  const std::size_t hidden = widths.size() - 2;
  const std::span<const char* const> of_norm = tensors_of(model.norm);
  const std::size_t expected = 2 * (hidden + 1) + of_norm.size() * hidden;
  if (file.tensors.size() != expected) {
    bad_model(path, "expected " + std::to_string(expected) + " tensors, found " + std::to_string(file.tensors.size()));
  }
  std::vector<NamedTensor> out;
  auto take = [&](const std::string& name, std::vector<std::size_t> shape) {
    const io::Tensor* t = file.find(name);
    if (!t) bad_model(path, "tensor '" + name + "' is missing");
    const bool same =
        t->dtype == "F32" && std::equal(shape.begin(), shape.end(), t->shape.begin(), t->shape.end(),
                                        [](std::size_t a, std::int64_t b) { return std::cmp_equal(a, b); });
    if (!same) bad_model(path, "tensor '" + name + "' is not fp32 of the shape that its layer needs");
    NamedTensor tensor{name, std::move(shape), std::vector<float>(t->bytes.size() / sizeof(float))};
    if (!t->bytes.empty()) std::memcpy(tensor.values.data(), t->bytes.data(), t->bytes.size());
    out.push_back(std::move(tensor));
  };
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    take("layers." + std::to_string(i) + ".weight", {widths[i + 1], widths[i]});
    take("layers." + std::to_string(i) + ".bias", {widths[i + 1]});
    if (i == hidden) break;
    for (const char* name : of_norm) take("layers." + std::to_string(i) + "." + name, {widths[i + 1]});
  }
  return out;
}

void check_outputs(const std::string& path, const SavedModel& model) {
  const data::Preprocessor& p = model.preprocessor;
  const std::size_t outputs = model.widths.back();
  const bool classify = p.task() == Task::classify;
  const bool single = output_meaning(p, model.loss).single_logit;
  const std::size_t expected = !classify || single ? 1 : p.classes().size();
  const bool loss_fits =
      classify == (model.loss == LossKind::cross_entropy || model.loss == LossKind::binary_cross_entropy);
  if (p.features() != model.widths.front() || outputs != expected || !loss_fits) {
    bad_model(path, "its layers do not fit its preprocessing: " + std::to_string(p.features()) + " features and " +
                        std::to_string(expected) + " outputs are described, the layers have " +
                        std::to_string(model.widths.front()) + " and " + std::to_string(outputs));
  }
}

}  // namespace

std::string_view loss_name(LossKind loss) { return kLosses[static_cast<std::size_t>(loss)]; }
std::string_view activation_name(Activation activation) { return kActivations[static_cast<std::size_t>(activation)]; }

std::string hidden_text(Activation activation, Norm norm, bool residual) {
  const std::string before = norm == Norm::none ? "" : std::string(name(norm)) + " norm, ";
  return before + std::string(activation_name(activation)) + (residual ? ", residual" : "");
}

bool is_parameter(const NamedTensor& tensor) { return tensor.name.find(".running_") == std::string::npos; }

std::string weights_digest(const std::vector<NamedTensor>& tensors) {
  Digest digest;
  for (const NamedTensor& t : tensors) digest.update(t.values.data(), t.values.size() * sizeof(float));
  return digest.hex();
}

OutputMeaning output_meaning(const data::Preprocessor& p, LossKind loss) {
  const bool classify = p.task() == Task::classify;
  return {.classification = classify,
          .single_logit = classify && loss == LossKind::binary_cross_entropy && p.classes().size() == 2,
          .target_mean = p.target_mean(),
          .target_scale = p.target_scale()};
}

std::vector<std::pair<std::string, std::string>> config_of(const Options& options) {
  std::vector<std::pair<std::string, std::string>> config;
  for (const ParameterInfo& p : parameters()) config.emplace_back(p.name, get_option(options, p.name));
  return config;
}

void save_model(const std::string& path, const SavedModel& model) {
  json::Object config;
  for (const auto& [key, value] : model.config) config.emplace_back(key, value);
  io::File file;
  file.metadata = {
      {"halfstep.format", "1"},
      {"halfstep.model", json::dump(model_json(model))},
      {"halfstep.config", json::dump(json::Value(config))},
      {"halfstep.preproc", model.preprocessor.to_json()},
      {"halfstep.step", std::to_string(model.step)},
      {"halfstep.scaler", json::dump(scaler_json(model.scaler))},
      {"halfstep.numerics", json::dump(json::Object{{"isa", model.isa}, {"math", name(model.math)}, {"order", 1}})}};
  for (const NamedTensor& t : model.tensors) {
    file.tensors.push_back({.name = t.name,
                            .dtype = "F32",
                            .shape = {t.shape.begin(), t.shape.end()},
                            .bytes = std::as_bytes(std::span(t.values))});
  }
  io::write_safetensors(path, file);
}

SavedModel load_model(const std::string& path) {
  const io::File file = io::read_safetensors(path);
  const std::string& format = metadata(file, path, "halfstep.format");
  if (format != "1") {
    throw Error(Status::unsupported, {.what = "the model has another format version",
                                      .where = path,
                                      .why = "it says '" + format.substr(0, 64) + "', this program reads '1'",
                                      .kept = {},
                                      .hint = "the halfstep version that wrote it"});
  }
  if (!file.has_digest()) bad_model(path, "it has no digest, so nothing vouches for its bytes");
  SavedModel model;
  model.digest = file.digest;
  read_model_json(path, json::parse(metadata(file, path, "halfstep.model")), model);
  const json::Value config = json::parse(metadata(file, path, "halfstep.config"));
  for (const auto& [key, value] : config.as_object()) model.config.emplace_back(key, value.as_string());
  model.preprocessor = data::Preprocessor::from_json(metadata(file, path, "halfstep.preproc"));
  model.step = read_step(path, metadata(file, path, "halfstep.step"));
  model.scaler = read_scaler_json(path, json::parse(metadata(file, path, "halfstep.scaler")));
  const json::Value numerics = json::parse(metadata(file, path, "halfstep.numerics"));
  model.isa = numerics.at("isa").as_string();
  if (const json::Value* math = numerics.find("math")) {  // files from before it was recorded are portable
    model.math = math->as_string() == name(Math::native) ? Math::native : Math::portable;
  }
  check_outputs(path, model);
  model.tensors = read_tensors(path, file, model);
  return model;
}

}  // namespace halfstep
