#include "run/model_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "io/safetensors.hpp"
#include "loss/loss.hpp"
#include "run/bad_model.hpp"
#include "run/model_spec_json.hpp"
#include "run/output_meaning.hpp"
#include "run/scaler_json.hpp"
#include "text/json.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

const std::string& metadata(const io::File& file, const std::string& path, std::string_view key) {
  const std::string* value = file.find_metadata(key);
  if (!value) bad_model(path, "metadata '" + std::string(key) + "' is missing");
  return *value;
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
  const PlanOnly plan;
  const Network network(network_of(model.spec, {.max_rows = 1}));
  const std::size_t expected = network.parameters().size();
  if (file.tensors.size() != expected) {
    bad_model(path, "expected " + std::to_string(expected) + " tensors, found " + std::to_string(file.tensors.size()));
  }
  std::vector<NamedTensor> out;
  for (const Parameter* p : network.parameters()) {
    const io::Tensor* t = file.find(p->name);
    if (!t) bad_model(path, "tensor '" + p->name + "' is missing");
    const bool same =
        t->dtype == "F32" && std::equal(p->shape.begin(), p->shape.end(), t->shape.begin(), t->shape.end(),
                                        [](std::size_t a, std::int64_t b) { return std::cmp_equal(a, b); });
    if (!same) bad_model(path, "tensor '" + p->name + "' is not fp32 of the shape that its layer needs");
    NamedTensor tensor{p->name, p->shape, std::vector<float>(t->bytes.size() / sizeof(float)), p->role};
    if (!t->bytes.empty()) std::memcpy(tensor.values.data(), t->bytes.data(), t->bytes.size());
    out.push_back(std::move(tensor));
  }
  return out;
}

void check_outputs(const std::string& path, const SavedModel& model) {
  const data::Preprocessor& p = model.preprocessor;
  const std::size_t outputs = model.spec.widths.back();
  const bool classify = p.task() == Task::classify;
  const bool single = output_meaning(p, model.spec.loss).single_logit;
  // Of rows from memory there may be several values.
  const std::size_t values = p.recipe().is_matrix ? outputs : p.targets().size();
  const std::size_t expected = !classify ? values : single ? 1 : p.classes().size();
  const bool loss_fits = classify == has_labels(model.spec.loss);
  if (p.features() != model.spec.widths.front() || outputs != expected || !loss_fits) {
    bad_model(path, "its layers do not fit its preprocessing: " + std::to_string(p.features()) + " features and " +
                        std::to_string(expected) + " outputs are described, the layers have " +
                        std::to_string(model.spec.widths.front()) + " and " + std::to_string(outputs));
  }
}

}  // namespace

std::string weights_digest(const std::vector<NamedTensor>& tensors) {
  Digest digest;
  for (const NamedTensor& t : tensors) digest.update(t.values.data(), t.values.size() * sizeof(float));
  return digest.hex();
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
      {"halfstep.model", json::dump(to_json(model.spec))},
      {"halfstep.config", json::dump(json::Value(config))},
      {"halfstep.preproc", model.preprocessor.to_json()},
      {"halfstep.step", std::to_string(model.step)},
      {"halfstep.scaler", json::dump(to_json(model.scaler))},
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
  model.spec = model_spec_from_json(path, json::parse(metadata(file, path, "halfstep.model")));
  const json::Value config = json::parse(metadata(file, path, "halfstep.config"));
  for (const auto& [key, value] : config.as_object()) model.config.emplace_back(key, value.as_string());
  model.preprocessor = data::Preprocessor::from_json(metadata(file, path, "halfstep.preproc"));
  model.step = read_step(path, metadata(file, path, "halfstep.step"));
  model.scaler = scaler_from_json(path, json::parse(metadata(file, path, "halfstep.scaler")));
  const json::Value numerics = json::parse(metadata(file, path, "halfstep.numerics"));
  model.isa = numerics.at("isa").as_string();
  if (const json::Value* math = numerics.find("math")) {  // files from before it was recorded are portable
    model.math = math->as_string() == name(Math::native) ? Math::native : Math::portable;
  }
  check_outputs(path, model);
  model.tensors = read_tensors(path, file, model);
  if (model.preprocessor.task() == Task::regress) model.preprocessor.set_outputs(model.spec.widths.back());
  return model;
}

}  // namespace halfstep::internal
