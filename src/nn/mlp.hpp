// A multi-layer perceptron: dense layers, between them normalisation (if any), one activation and dropout, and around
// them what skips them; logits out.
// It owns fp32 master weights and gradients, the packed 16-bit working weights and every activation buffer, all
// allocated when it is built.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/stage_watch.hpp"
#include "gemm/gemm.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

struct MlpShape {
  std::vector<std::size_t> widths;  // inputs, hidden..., outputs
  Activation activation = Activation::relu;
  Norm norm = Norm::none;       // of every hidden layer, before its activation
  double dropout = 0;           // share of each hidden layer's outputs, while training
  bool residual = false;        // hidden layers as wide as their input add it to their output
  std::uint64_t mask_seed = 0;  // of dropout
  Dtype dtype = Dtype::bf16;
  std::vector<Dtype> layer_dtypes = {};  // of each layer; empty: `dtype` for all
  std::size_t max_rows = 0;              // of one batch
  bool training = true;                  // false: no gradients, no backward buffers
  bool master = true;                    // false: 16-bit working weights are all there is once they are packed
};

// A matrix in a storage type, in the two layouts the products read: rows and panels.
struct Activations {
  Dtype dtype = Dtype::fp32;
  AlignedBuffer<std::byte> rows;
  AlignedBuffer<std::byte> panels;
  std::size_t ld = 0;            // elements
  std::size_t panel_stride = 0;  // elements
  StorageTarget target();
  RowsOperand rows_operand() const { return {rows.data(), ld, dtype}; }
  PanelsOperand panels_operand() const { return {panels.data(), panel_stride, dtype}; }
};

// A vector that normalisation trains with a layer: gamma, and beta unless it is Norm::rms. Always fp32, padded to 16.
struct NormParameter {
  const char* name;
  AlignedBuffer<float> values, grad;
  AlignedBuffer<float> sums;  // [sum_chunks][padded out]
  double squares = 0;         // of grad
};

// A vector that BatchNorm follows beside its layer: padded to 16.
struct RunningStatistic {
  const char* name;             // as PyTorch has it
  AlignedBuffer<float> values;  // as the applied steps have left it
  AlignedBuffer<float> next;    // as the step that runs would leave it
};

// What BatchNorm keeps of a batch, for each column: vectors padded to 16.
struct BatchColumns {
  AlignedBuffer<float> mean, rest, rstd, variance;
  AlignedBuffer<float> d_gamma, d_beta;  // sums over the batch
};

// The storage type of a layer is that of all its products read: weights, the layer's input and d. So y has the type
// of the layer above.
struct Dense {
  WeightLayout layout;
  Dtype dtype = Dtype::bf16;
  bool master = true;
  Activation activation = Activation::identity;
  bool residual = false;                     // its input is added to its output
  AlignedBuffer<float> weight, weight_grad;  // master (empty without one), in strips
  AlignedBuffer<float> bias, bias_grad;      // padded to 16
  AlignedBuffer<std::byte> packed_forward, packed_backward;
  Norm norm = Norm::none;
  std::vector<NormParameter> norm_parameters;
  AlignedBuffer<RowStatistics> statistics;  // of each row of z, where rows are normalised
  BatchColumns columns;                     // of z, where columns are
  std::vector<RunningStatistic> running;    // mean and variance of Norm::batch
  Activations y;                            // output; unused in the last layer
  AlignedBuffer<std::byte> z;     // rows in y's type, where the derivative or whole rows need them: ForwardEpilogue::z
  Activations d;                  // gradient by the pre-activation
  AlignedBuffer<float> d_sums;    // [sum_chunks][padded out]: column sums of d before rounding
  AlignedBuffer<double> squares;  // of each block of weight_grad, then of bias_grad
  // Element (out, in) of packed_forward.
  std::size_t packed_place(std::size_t out, std::size_t in) const;
};

// Which outputs of a layer dropout takes away, a function of seed and stream. `dropped`: 65536 times their share; 0:
// off.
struct DropoutMask {
  std::uint64_t seed = 0, stream = 0;
  std::uint32_t dropped = 0;
};

// A parameter as files know it: row-major fp32, shape [out, in] or [out].
struct NamedTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

// Bytes of a model's buffers.
struct ModelMemory {
  std::size_t masters, working_weights, gradients, activations, activation_gradients;
  std::size_t total() const { return masters + working_weights + gradients + activations + activation_gradients; }
};

class Mlp {
 public:
  explicit Mlp(MlpShape shape);

  const MlpShape& shape() const { return shape_; }
  std::vector<Dense>& layers() { return layers_; }
  std::size_t parameters() const;  // without padding
  ModelMemory memory() const;

  // He-uniform for ReLU-like activations, Glorot-uniform otherwise and for the last layer; biases and beta zero,
  // gamma and running variance 1.
  void initialise(std::uint64_t seed, const KernelTable& kernels);
  // One 16-row block in fp32: of the master, or the working weights widened into `scratch` [kLanes * kBlockColumns].
  float* weight_block(const KernelTable& kernels, std::size_t layer, std::size_t strip, std::size_t block,
                      float* scratch);
  // Writes the packed working weights of that block.
  void pack_block(const KernelTable& kernels, std::size_t layer, std::size_t strip, std::size_t block,
                  const float* values);
  // All of them from the strips, which are given back where there is no master.
  void pack_all(const KernelTable& kernels);
  void drop_strips();  // does only the latter

  // Where the batcher writes the inputs: rows beyond the batch, up to an even count, must be zero.
  Activations& input() { return input_; }
  // fp32, [rows][logits_ld].
  float* logits() { return logits_.data(); }
  std::size_t logits_ld() const { return pad_columns(shape_.widths.back()); }
  // Where the loss writes its gradient by the logits.
  Activations& d_logits() { return layers_.back().d; }
  float* d_logits_sums() { return layers_.back().d_sums.data(); }

  // `rows` is at most max_rows; behind an odd count the input has a zero row. With a `mask`, one number a step, this is
  // training: the masks of dropout are functions of it, and BatchNorm takes the statistics of the batch. Without one
  // nothing is dropped and BatchNorm goes by its running statistics. What follows a forward pass (backward and all
  // below it) goes by the same. Throws Error(invalid_argument) where BatchNorm would train on a single row, before
  // anything else. beside[i], where there is one, runs beside the product of layer i.
  void forward(GemmContext&, std::size_t rows, std::optional<std::uint64_t> mask = {},
               std::span<const SideTasks> beside = {});
  // Fills weight_grad and bias_grad (adds to them when `accumulate`) and the sums of squares. `watch` may be null.
  void backward(GemmContext&, std::size_t rows, bool accumulate, StageWatch* watch = nullptr);

  // What the running statistics of BatchNorm are from now on: with the batches of the forward passes since the last
  // call, if they led to an applied step, or without them. To be called after each step.
  void settle_statistics(bool applied);

  // The product of one layer and its bias, no more.
  void pre_activation(GemmContext&, std::size_t layer, std::size_t rows, StorageTarget z, const SideTasks& side = {});
  // The output of one layer, which is not the last, from the input that is stored; pre-activations to `z` unless null.
  void forward_layer(GemmContext&, std::size_t layer, std::size_t rows, StorageTarget y, std::byte* z,
                     const SideTasks& side = {});
  // From the d of `layer`, above 0, that of the layer below; `sums` as BackwardEpilogue has them. Where `layer` is
  // skipped, what came before is the same for the layer above.
  void input_gradient(GemmContext&, std::size_t layer, std::size_t rows, StorageTarget d, float* sums);

  // Masters, or the working weights widened; and running statistics.
  std::vector<NamedTensor> tensors() const;
  // Throws Error(format) when a name or shape is missing or wrong. pack_all is the caller's to call.
  void set_tensors(const std::vector<NamedTensor>& tensors);

 private:
  const Activations& input_of(std::size_t layer) const { return layer == 0 ? input_ : layers_[layer - 1].y; }
  RowsOperand skip_of(std::size_t layer) const;
  bool takes_whole_rows(const Dense& layer) const;
  DropoutMask mask_of(std::size_t layer) const;
  // The two halves of input_gradient: its product, and what follows by whole rows, if anything.
  InputGradientProduct input_gradient_product_of(GemmContext&, std::size_t layer, std::size_t rows, StorageTarget d,
                                                 float* sums);
  void input_gradient_rows(GemmContext&, std::size_t layer, std::size_t rows, StorageTarget d, float* sums);
  void bias_gradient(GemmContext&, Dense& layer, std::size_t rows, bool accumulate);
  std::byte* forward_block(Dense& layer, std::size_t strip, std::size_t block) const;
  float weight_at(const Dense& layer, std::size_t out, std::size_t in) const;

  MlpShape shape_;
  std::vector<Dense> layers_;
  Activations input_;
  AlignedBuffer<float> logits_;
  AlignedBuffer<float> d_y_;           // [rows][widest hidden layer]: gradients by y, where whole rows or a skip follow
  AlignedBuffer<float> d_z_;           // the same by z, where both do
  std::optional<std::uint64_t> mask_;  // of the last forward pass
};

}  // namespace halfstep
