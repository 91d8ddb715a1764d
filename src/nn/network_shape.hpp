// What a network is built from: sizes and kinds of its blocks, and what its memory is for.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "halfstep/types.hpp"

namespace halfstep::internal {

struct NetworkShape {
  std::vector<std::size_t> widths;  // inputs, hidden..., outputs
  std::string layer = "dense";      // kind of the hidden layers, of hidden_layer_names()
  Activation activation = Activation::relu;
  Norm norm = Norm::none;                      // of every hidden layer, before its activation
  double dropout = 0;                          // share of each hidden layer's outputs, while training
  std::vector<ColumnEmbedding> embedded = {};  // as ModelSpec has them, and the next two
  std::size_t embedding = 0;
  std::size_t members = 1;
  bool residual = false;        // hidden layers as wide as their input add it to their output
  std::uint64_t mask_seed = 0;  // of dropout
  Dtype dtype = Dtype::bf16;
  std::vector<Dtype> layer_dtypes = {};  // of each layer; empty: `dtype` for all
  std::size_t max_rows = 0;              // of one batch; layers see `members` rows for each
  bool training = true;                  // false: no gradients, no backward buffers
  bool master = true;                    // false: 16-bit working weights are all there is once they are packed

  std::size_t columns_of_layer(std::size_t layer) const {  // inputs of it
    return layer == 0 && !embedded.empty() ? embedded.size() * embedding : widths[layer];
  }
  std::size_t outputs_of_layer(std::size_t layer) const {  // of each row, which is that of one member
    return layer + 1 == layers() ? widths.back() * members : widths[layer + 1];
  }
  std::size_t layers() const { return widths.size() - 1; }
  Dtype dtype_of(std::size_t layer) const { return layer_dtypes.empty() ? dtype : layer_dtypes[layer]; }
};

}  // namespace halfstep::internal
