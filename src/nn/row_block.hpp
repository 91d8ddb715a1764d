// Blocks that work on the rows a product has left: activation, dropout, skip. Each is one file and a row in blocks.cpp.
// A block either rides in the epilogue of the product before it, or runs in a pass over the rows (row_chain.hpp).
#pragma once
#include <cstddef>
#include <string>

#include "nn/activations.hpp"
#include "nn/pass.hpp"

namespace halfstep::internal {

class RowChain;

// Some columns of one row, in L1.
struct RowPart {
  const Pass& pass;
  const RowChain& chain;
  const StoredRows& z;  // what the product left
  RowsOperand skip;     // the input of the layer
  std::size_t row, first, columns;

  std::size_t padded() const { return pad_columns(columns); }
  const KernelTable& kernels() const { return pass.kernels(); }
};

// What the epilogue of a product does after the bias (ForwardEpilogue): an activation, then the input that skips.
struct RowEpilogue {
  Activation activation = Activation::identity;
  bool has_activation = false;
  bool skip = false;
};

// Which outputs of a layer a step takes away: a function of seed, step, layer and place, so the backward pass, a
// repeated one and any number of threads see the same mask.
struct DropoutMask {
  std::uint32_t dropped;  // 65536 times the share
  std::uint64_t seed;
  std::size_t layer;

  // By which those are multiplied that stay.
  float factor() const { return 65536.0f / static_cast<float>(65536 - dropped); }
  // Where the random numbers of a row of `width` outputs come from, from column `first` on; of a pass with a mask. A
  // stream for each step and layer, beside those of the optimizer (optim/optimizer.cpp). Every row starts a group.
  RandomPlace place(const Pass& pass, std::size_t row, std::size_t first, std::size_t width) const {
    return {seed, *pass.mask << 24 | layer << 2 | 3, (pass.first_row + row) * round_up(width, kRandomGroup) + first};
  }
};

class RowBlock {
 public:
  virtual ~RowBlock() = default;
  virtual std::string describe() const = 0;  // "gelu"; empty: nothing worth a word

  // Adds itself to the epilogue, behind what is there. False: in a pass like this one (training or not) it cannot.
  virtual bool join(RowEpilogue& epilogue, bool training) const = 0;
  // What it takes away while training; null: nothing.
  virtual const DropoutMask* mask() const { return nullptr; }

  // In fp32 and in place: `x` [part.padded()].
  virtual void forward(const RowPart& part, float* x) const = 0;
  // In place, from the gradient by its output to that by its input, which will be stored as `stored`. `index`: its
  // place in the chain, to have its input made again (RowChain::input_of).
  virtual void backward(const RowPart& part, std::size_t index, Dtype stored, float* d) const = 0;
};

}  // namespace halfstep::internal
