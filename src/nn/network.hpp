// A network: a sequence of blocks from inputs to logits. It owns its parameters (fp32 master weights, gradients, packed
// 16-bit working weights) and every activation buffer, all allocated when it is built.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/state.hpp"
#include "nn/block.hpp"
#include "nn/network_shape.hpp"

namespace halfstep::internal {

class Dense;

// A parameter as files know it: row-major fp32, shape [out, in] or [out].
struct NamedTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
  ParameterRole role = ParameterRole::weight;
};

// Bytes of a network's buffers.
struct ModelMemory {
  std::size_t masters, working_weights, gradients, activations, activation_gradients;
  std::size_t total() const { return masters + working_weights + gradients + activations + activation_gradients; }
};

class Network {
 public:
  explicit Network(NetworkShape shape);
  ~Network();

  const NetworkShape& shape() const { return shape_; }
  std::string describe()
      const;  // "784-512-10 layer norm, gelu, residual": widths, and the fullest of its hidden blocks
  ModelMemory memory() const;

  // All parameters in canonical order, that of model files: block after block, in each weight, bias, gamma, beta,
  // running_mean, running_var.
  std::span<Parameter* const> parameters() const { return parameters_; }
  // Those that are trained, in the order in which the optimizer numbers them and the norm of the gradient is summed:
  // those that decay, then the others.
  std::span<Parameter* const> trained() const { return trained_; }
  std::size_t elements() const;  // of trained parameters, without padding
  std::size_t blocks() const { return blocks_.size(); }
  std::size_t least_rows() const;  // that it can train on

  // Initial weights (initial_weights.hpp); biases and beta zero, gamma and running variance 1. Packs them.
  void initialise(std::uint64_t seed, const KernelTable& kernels);
  // Packs all parameters from their masters, which are given back where they are not kept.
  void pack_all(const KernelTable& kernels);
  void drop_masters();  // does only the latter
  // For forward passes without a mask: the parameters are those of `from`, of the same shape, which outlives it.
  void borrow_parameters(const Network& from);

  // Masters, or the packed weights of matrices without one; and statistics. After a load, loaded() makes what follows
  // from them.
  void visit_state(StateVisitor& visitor);
  void loaded(const KernelTable& kernels);

  // Masters, or the working weights widened, in canonical order.
  std::vector<NamedTensor> tensors() const;
  // Throws Error(format) when a name or shape is missing or wrong. pack_all is the caller's to call.
  void set_tensors(const std::vector<NamedTensor>& tensors);

  // Rows of the layers for so many of the input: one for each member.
  std::size_t layer_rows(std::size_t rows) const { return rows * shape_.members; }
  std::size_t rows_of(const StoredSignal& signal, std::size_t rows) const {
    return signal.kind == StoredSignal::Kind::input ? rows : layer_rows(rows);
  }
  std::size_t columns_of(const StoredSignal& signal) const;  // without padding

  // Where the batcher writes the inputs: rows beyond the batch, up to an even count, must be zero.
  Activations& input() { return input_; }
  const Activations& input() const { return input_; }
  // fp32, [layer_rows(rows)][logits_ld]: in the row of a member its outputs are behind those of the members before it.
  float* logits();
  std::size_t logits_ld() const { return pad_columns(shape_.outputs_of_layer(shape_.layers() - 1)); }
  // Where the loss writes its gradient by the logits, and the sums over its columns.
  const GradientTarget& logits_gradient();

  // `rows` is at most max_rows; behind an odd count the input has a zero row. With a `mask`, one number a step, this is
  // training: the masks of dropout are functions of it and of a row's place in the step, of which these begin with
  // `first_row`, and BatchNorm takes the statistics of the batch. Without one nothing is dropped and BatchNorm goes by
  // its running statistics. What follows a forward pass (backward and all below it) goes by the same. Throws
  // Error(invalid_argument) where BatchNorm would train on a single row, before anything else. beside[i], where there
  // is one, runs beside the products of block i.
  void forward(GemmContext&, std::size_t rows, std::optional<std::uint64_t> mask = {},
               std::span<const SideTasks> beside = {}, std::size_t first_row = 0);
  // Fills the gradients of all trained parameters (adds to them when `accumulate`) and their sums of squares. `watch`
  // may be null.
  void backward(GemmContext&, std::size_t rows, bool accumulate, StageWatch* watch = nullptr);

  // After each step: the batches of its forward passes count in BatchNorm's running statistics, or they do not.
  void commit_statistics();
  void discard_statistics();

  // The matrices that the last passes left in memory: the input, outputs from the first block to the logits, then
  // gradients by pre-activations, also from the first block.
  std::span<const StoredSignal> signals() const { return signals_; }

  // Runs each product of the last step once more, with a target in fp32: what it made before it was rounded. `see` is
  // called from the last block to the first with its gradients by pre-activations (but those of the last, which the
  // loss makes), then what it stores before its output, then its output. `scratch` has replay_targets() matrices of
  // [max_rows][widest block] elements, rows padded to 16, `sums` as many of [sum_chunks(max_rows)][widest].
  struct Replayed {
    std::string name;  // "layers.0.d", "layers.0.pre_activation", "layers.0.output"
    StoredSignal::Kind kind;
    Dtype storage;  // what it was rounded to
    std::size_t columns;
    const float* values;  // [rows][padded columns]
  };
  void replay(GemmContext&, std::size_t rows, float* scratch, float* sums, FunctionRef<void(const Replayed&)> see);
  std::size_t widest() const;          // block
  std::size_t replay_targets() const;  // the most that a block has

 private:
  const Activations& input_of(std::size_t block) const {
    return block > 0 ? blocks_[block - 1]->output() : embedding_ ? embedding_->output() : input_;
  }
  Pass pass(GemmContext& context, std::size_t rows) {
    return {context, rows, mask_, layer_rows(first_row_), d_y_.data(), d_z_.data()};
  }

  NetworkShape shape_;
  Activations input_;
  std::unique_ptr<Block> embedding_;  // what the first block reads, where the input is a table's; else null
  std::vector<std::unique_ptr<Block>> blocks_;
  Dense* last_ = nullptr;  // of blocks_
  std::vector<Parameter*> parameters_, trained_;
  std::vector<StoredSignal> signals_;
  AlignedBuffer<float> d_y_, d_z_;     // Pass
  std::optional<std::uint64_t> mask_;  // of the last forward pass
  std::size_t first_row_ = 0;          // too
};

}  // namespace halfstep::internal
