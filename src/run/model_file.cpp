#include "run/model_file.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "io/safetensors.hpp"
#include "run/bad_model.hpp"
#include "run/bagged_file.hpp"
#include "run/checkpoint_file.hpp"
#include "run/model_metadata.hpp"

namespace halfstep::internal {

namespace {

NamedTensor read_tensor(const io::File& file, const std::string& path, const std::string& name, const Parameter& p) {
  const io::Tensor* t = file.find(name);
  if (!t) bad_model(path, "tensor '" + name + "' is missing");
  const bool same = t->dtype == "F32" && std::equal(p.shape.begin(), p.shape.end(), t->shape.begin(), t->shape.end(),
                                                    [](std::size_t a, std::int64_t b) { return std::cmp_equal(a, b); });
  if (!same) bad_model(path, "tensor '" + name + "' is not fp32 of the shape that its layer needs");
  NamedTensor tensor{name, p.shape, std::vector<float>(t->bytes.size() / sizeof(float)), p.role};
  if (!t->bytes.empty()) std::memcpy(tensor.values.data(), t->bytes.data(), t->bytes.size());
  return tensor;
}

}  // namespace

std::string name_in_bag(const std::string& name, std::size_t network, std::size_t networks) {
  return networks == 1 ? name : "networks." + std::to_string(network) + "." + name;
}

std::vector<NamedTensor> model_tensors(const io::File& file, const std::string& path, const ModelSpec& spec,
                                       std::size_t networks) {
  const PlanOnly plan;
  const Network network(network_of(spec, {.max_rows = 1}));
  const std::size_t expected = network.parameters().size() * networks;
  if (file.tensors.size() != expected) {
    bad_model(path, "expected " + std::to_string(expected) + " tensors, found " + std::to_string(file.tensors.size()));
  }
  std::vector<NamedTensor> out;
  for (std::size_t n = 0; n < networks; ++n) {
    for (const Parameter* p : network.parameters()) {
      out.push_back(read_tensor(file, path, name_in_bag(p->name, n, networks), *p));
    }
  }
  return out;
}

std::list<Network> networks_of(const SavedModel& model, const NetworkUse& use, const KernelTable& kernels) {
  std::list<Network> networks;
  const std::size_t each = model.tensors.size() / model.networks;
  for (std::size_t n = 0; n < model.networks; ++n) {
    Network& network = networks.emplace_back(network_of(model.spec, use));
    const auto first = model.tensors.begin() + static_cast<std::ptrdiff_t>(n * each);
    std::vector<NamedTensor> tensors(first, first + static_cast<std::ptrdiff_t>(each));
    const std::size_t prefix = name_in_bag({}, n, model.networks).size();
    for (NamedTensor& tensor : tensors) tensor.name.erase(0, prefix);
    network.set_tensors(tensors);
    network.pack_all(kernels);
  }
  return networks;
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

void add_tensors(const std::vector<NamedTensor>& tensors, io::File& file) {
  for (const NamedTensor& t : tensors) {
    file.tensors.push_back({.name = t.name,
                            .dtype = "F32",
                            .shape = {t.shape.begin(), t.shape.end()},
                            .bytes = std::as_bytes(std::span(t.values))});
  }
}

void save_model(const std::string& path, const SavedModel& model) {
  io::File file;
  file.metadata = metadata_of(model, kModelFormat);
  add_tensors(model.tensors, file);
  io::write_safetensors(path, file);
}

SavedModel load_model(const std::string& path) { return model_of(io::read_safetensors(path), path); }

SavedModel model_of(const io::File& file, const std::string& path) {
  if (is_checkpoint(file)) return model_of_checkpoint(file, path);
  if (is_bagged_network(file)) return bagged_network_of(file, path).model;
  SavedModel model = model_without_tensors(file, path, kModelFormat);
  model.tensors = model_tensors(file, path, model.spec, model.networks);
  if (model.preprocessor.task() == Task::regress) model.preprocessor.set_outputs(model.spec.widths.back());
  return model;
}

}  // namespace halfstep::internal
