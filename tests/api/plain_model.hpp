// A trained model read and run without the library: its file byte by byte, its network in double.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "halfstep/options.hpp"
#include "io/temp_dir.hpp"
#include "support/reference.hpp"

namespace halfstep::test {

using PlainTensors = std::map<std::string, std::vector<double>>;

// Safetensors: 8 bytes say how long the JSON is that follows; then come the values, little-endian fp32.
inline PlainTensors read_plain_tensors(const std::string& path) {
  static_assert(std::endian::native == std::endian::little);
  const std::string bytes = read_bytes(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const std::string header = bytes.substr(sizeof length, length);
  const std::regex entry(R"re("(layers\.\d+\.\w+)":\{[^}]*"data_offsets":\[(\d+),(\d+)\])re");
  PlainTensors tensors;
  for (auto it = std::sregex_iterator(header.begin(), header.end(), entry); it != std::sregex_iterator(); ++it) {
    const std::size_t begin = std::stoul((*it)[2]), end = std::stoul((*it)[3]);
    std::vector<double>& values = tensors[(*it)[1]];
    for (std::size_t at = begin; at < end; at += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, bytes.data() + sizeof length + length + at, sizeof value);
      values.push_back(static_cast<double>(value));
    }
  }
  return tensors;
}

// The network that these options and this data describe.
inline ReferenceMlp plain_network(const PlainTensors& tensors, const Options& options, std::size_t inputs,
                                  std::size_t outputs) {
  ReferenceMlp network;
  network.activation = options.activation;
  network.norm = options.norm;
  network.residual = options.residual;
  network.widths = {inputs};
  for (const std::int64_t width : options.hidden) network.widths.push_back(static_cast<std::size_t>(width));
  network.widths.push_back(outputs);
  for (std::size_t i = 0; i + 1 < network.widths.size(); ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    network.weights.push_back(tensors.at(layer + "weight"));
    network.biases.push_back(tensors.at(layer + "bias"));
    if (options.norm == Norm::none || i + 2 == network.widths.size()) continue;
    network.gammas.push_back(tensors.at(layer + "gamma"));
    if (options.norm != Norm::rms) network.betas.push_back(tensors.at(layer + "beta"));
    if (options.norm != Norm::batch) continue;
    network.running_means.push_back(tensors.at(layer + "running_mean"));
    network.running_variances.push_back(tensors.at(layer + "running_var"));
  }
  return network;
}

}  // namespace halfstep::test
