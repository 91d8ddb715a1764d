// Everything that a step leaves in memory, in fp32 and row-major: to be compared across precisions and CPUs.
#pragma once
#include <string>
#include <vector>

#include "nn/network.hpp"

namespace halfstep::internal {

struct SignalCopy {
  std::string name;
  bool gradient = false;
  std::vector<float> values;
};

// Input, outputs and logits, then gradients from the last layer down, of `rows` rows.
std::vector<SignalCopy> copy_signals(const Network& network, std::size_t rows);

// In magnitude; NaN where there is one.
double largest(const SignalCopy& signal);

// The type that a tensor of a reading of the meters is stored in: "layers.0.output", "gradient of layers.0.weight",
// which has that of its layer.
Dtype storage_of(const Network& network, const std::string& tensor);

// Of those, and of all weight gradients: the same on every CPU. All NaN count as one.
std::string step_digest(const Network& network, std::size_t rows);

}  // namespace halfstep::internal
