#include "run/model_file.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "io/safetensors.hpp"
#include "run/bad_model.hpp"
#include "run/checkpoint_file.hpp"
#include "run/model_metadata.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {

std::vector<NamedTensor> model_tensors(const io::File& file, const std::string& path, const ModelSpec& spec) {
  const PlanOnly plan;
  const Network network(network_of(spec, {.max_rows = 1}));
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
  io::File file;
  file.metadata = metadata_of(model, kModelFormat);
  for (const NamedTensor& t : model.tensors) {
    file.tensors.push_back({.name = t.name,
                            .dtype = "F32",
                            .shape = {t.shape.begin(), t.shape.end()},
                            .bytes = std::as_bytes(std::span(t.values))});
  }
  io::write_safetensors(path, file);
}

SavedModel load_model(const std::string& path) { return model_of(io::read_safetensors(path), path); }

SavedModel model_of(const io::File& file, const std::string& path) {
  if (is_checkpoint(file)) return model_of_checkpoint(file, path);
  SavedModel model = model_without_tensors(file, path, kModelFormat);
  model.tensors = model_tensors(file, path, model.spec);
  if (model.preprocessor.task() == Task::regress) model.preprocessor.set_outputs(model.spec.widths.back());
  return model;
}

}  // namespace halfstep::internal
