// What a model is, apart from the numbers in it.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep {

// How a column of a table enters a network: as a vector that is learned, ModelSpec::embedding wide.
struct ColumnEmbedding {
  // A number is two inputs: its value, and its place among the knots of a piecewise linear function, from 0 to `size`
  // (kMissingPlace where there is no value). A category is one input: its code, a whole number from 0 to size - 1.
  bool number = true;
  std::size_t size = 1;      // segments of the function, 1 to 1024; codes, 1 to 2^20
  std::size_t periodic = 0;  // of a number: cosines of it that are learned beside the function, 0 to 64

  std::size_t inputs() const { return number ? 2 : 1; }  // of the network
  bool operator==(const ColumnEmbedding&) const = default;
};
inline constexpr float kMissingPlace = -16;  // of a number that is missing

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
  double huber_delta = 1;                 // huber: where it turns linear, > 0
  double label_smoothing = 0;             // cross_entropy: share of the truth spread over all classes, >= 0 and < 1
  std::vector<double> class_weights;      // cross_entropy: of each output, > 0; empty: all 1
  std::vector<ColumnEmbedding> embedded;  // of each column, whose inputs stand in this order; empty: inputs as they are
  std::size_t embedding = 0;              // width of each column's vector, 1 to 256; 0 where no column has one
  // Networks that share all weights but the scale of their first layer's input, and their outputs (TabM, Gorishniy et
  // al., 2024); the outputs of the model are their mean. 1 to 256, with embedded columns where it is more than 1.
  std::size_t members = 1;

  bool operator==(const ModelSpec&) const = default;
};

// The kinds of hidden layers.
std::span<const std::string_view> layer_names();

// Throws Error(invalid_argument) where a field is out of the range above; `why` names it.
void validate(const ModelSpec& spec);

}  // namespace halfstep
