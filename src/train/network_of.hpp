// From the description of a model to its network and its loss.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "loss/loss.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

// What a network is built for.
struct NetworkUse {
  std::size_t max_rows = 0;     // of one batch
  bool training = false;        // else forward passes alone, without dropout
  bool master = true;           // fp32 master weights, see NetworkShape
  std::uint64_t mask_seed = 0;  // of dropout
};

NetworkShape network_of(const ModelSpec& spec, const NetworkUse& use);
std::unique_ptr<Loss> loss_of(const ModelSpec& spec);

// Storage type of each layer.
std::vector<Dtype> layer_dtypes(const ModelSpec& spec);

}  // namespace halfstep::internal
