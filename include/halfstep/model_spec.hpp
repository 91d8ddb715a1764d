// What a model is, apart from the numbers in it.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep {

// A multi-layer perceptron and the loss it is trained on. Layers are counted from 0, the last gives the outputs.
struct ModelSpec {
  std::vector<std::size_t> widths;           // inputs, hidden layers, outputs: 2 to 1024 of them, each from 1 to 2^20
  std::string layer = "dense";               // kind of each hidden layer, of layer_names()
  Activation activation = Activation::relu;  // of each hidden layer
  Norm norm = Norm::none;                    // of each hidden layer, before its activation
  double dropout = 0;     // share of each hidden layer's outputs that a training step goes without: >= 0 and < 1
  bool residual = false;  // each hidden layer as wide as its input adds that to its output
  Dtype precision = Dtype::bf16;
  std::vector<Dtype> layer_precision;  // of each layer; empty: `precision` for all
  LossKind loss = LossKind::cross_entropy;
  double huber_delta = 1;             // huber: where it turns linear, > 0
  double label_smoothing = 0;         // cross_entropy: share of the truth spread over all classes, >= 0 and < 1
  std::vector<double> class_weights;  // cross_entropy: of each output, > 0; empty: all 1

  bool operator==(const ModelSpec&) const = default;
};

// The kinds of hidden layers.
std::span<const std::string_view> layer_names();

// Throws Error(invalid_argument) where a field is out of the range above; `why` names it.
void validate(const ModelSpec& spec);

}  // namespace halfstep
