// A trained model as a file: safetensors with fp32 masters and, as metadata, all that predict needs to take raw data.
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "amp/grad_scaler.hpp"
#include "data/preprocess.hpp"
#include "halfstep/model_spec.hpp"
#include "halfstep/options.hpp"
#include "io/safetensors.hpp"
#include "nn/network.hpp"
#include "run/held_out_facts.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {

struct SavedModel {
  data::Preprocessor preprocessor;
  ModelSpec spec;
  std::int64_t step = 0;
  GradScalerState scaler;
  std::string isa;
  Math math = Math::portable;
  std::vector<std::pair<std::string, std::string>> config;  // parameter, value
  HeldOutFacts held_out;
  std::size_t networks = 1;          // of this spec, that were trained on different parts of the rows: see bag.hpp
  std::vector<NamedTensor> tensors;  // of several networks one after the other, see name_in_bag
  std::string digest;                // of the file, as read
};

// Hash of the fp32 masters in canonical order: layers.0.weight, layers.0.bias, layers.0.gamma and beta where it is
// normalised, running_mean and running_var where over a batch, layers.1.weight, ...
std::string weights_digest(const std::vector<NamedTensor>& tensors);

// Durable and atomic. Throws Error(io).
void save_model(const std::string& path, const SavedModel& model);
// Throws Error: io when it cannot be read, format when it is not such a file.
SavedModel load_model(const std::string& path);
// Of a file that has been read.
SavedModel model_of(const io::File& file, const std::string& path);

// Exactly the tensors that the description asks for, so that building the model allocates no more than the file holds.
std::vector<NamedTensor> model_tensors(const io::File& file, const std::string& path, const ModelSpec& spec,
                                       std::size_t networks = 1);

// To be written: the file's tensors point into these.
void add_tensors(const std::vector<NamedTensor>& tensors, io::File& file);

// Name of a tensor of one of several networks: "networks.2.layers.0.weight"; of a single one as it is.
std::string name_in_bag(const std::string& name, std::size_t network, std::size_t networks);
// The model's networks, ready for forward passes.
std::list<Network> networks_of(const SavedModel& model, const NetworkUse& use, const KernelTable& kernels);

// Every parameter of a run with its value.
std::vector<std::pair<std::string, std::string>> config_of(const Options& options);

}  // namespace halfstep::internal
