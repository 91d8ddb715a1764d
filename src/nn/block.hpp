// What a network is a sequence of. A block turns the batch that the one below it left into its own output, and the
// gradient by its output into those by its parameters and by its input. It plans its memory when it is made.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/stage_watch.hpp"
#include "nn/activations.hpp"
#include "nn/norm.hpp"
#include "nn/parameter.hpp"
#include "nn/pass.hpp"

namespace halfstep::internal {

// Where a block wants the gradient by one of its pre-activations, in its own storage type, and the sums over its
// columns, [sum_chunks(rows)][padded width].
struct GradientTarget {
  std::string name;  // "layers.0.d"
  StorageTarget d;
  float* sums;
};
// A plain block has one; one of several products one for each.
using GradientTargets = std::vector<GradientTarget>;

class Block {
 public:
  virtual ~Block() = default;
  virtual std::string describe() const = 0;                         // "layer norm, gelu": all but its width
  virtual void list_parameters(std::vector<Parameter*>&) = 0;       // in the order of model files
  virtual void list_signals(std::vector<StoredSignal>&) const = 0;  // outputs in order, then gradients
  virtual BlockMemory memory() const = 0;
  virtual void initialise(std::uint64_t seed) = 0;
  virtual std::size_t width() const = 0;                // of its output
  virtual std::size_t least_rows() const { return 1; }  // of a batch to train on
  // Whether it wants Pass::d_y and d_z.
  virtual bool wants_d_y() const { return false; }
  virtual bool wants_d_z() const { return false; }

  // What the block above reads. Of the last block: nothing, its output is fp32 logits.
  virtual const Activations& output() const = 0;

  // `beside` runs between the tiles of a product.
  virtual void forward(const Pass&, const Activations& x, const SideTasks& beside) = 0;
  // The gradients by its parameters from those by its pre-activations; and, where there is a block `below`, the
  // gradient by x, handed down to it. `watch` may be null.
  virtual void backward(const Pass&, const Activations& x, Block* below, bool accumulate, StageWatch* watch) = 0;

  // How a block above hands its gradient down: its last product has this epilogue, and finish_gradient follows.
  // `targets` are mostly those of the block itself.
  virtual const GradientTargets& gradient_targets() = 0;
  virtual BackwardEpilogue gradient_epilogue(const Pass&, const GradientTargets& targets) = 0;
  virtual void finish_gradient(const Pass&, const GradientTargets& targets) = 0;
  // The gradient by x of a block with one below, and no other.
  virtual void input_gradient(const Pass&, Block& below, const GradientTargets& targets) = 0;

  // Once more what `forward` rounds, before it is rounded: the output, or (where something is stored between the
  // product and the output) what is stored there.
  virtual void replay_output(const Pass&, const Activations& x, const StorageTarget& y) = 0;
  virtual void replay_stored(const Pass&, const Activations& x, const StorageTarget& z) = 0;
  virtual bool stores_pre_activations() const { return false; }
};

}  // namespace halfstep::internal
