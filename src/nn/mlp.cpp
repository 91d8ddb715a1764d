#include "nn/mlp.hpp"

#include <algorithm>
#include <cmath>

#include "base/dtype.hpp"
#include "base/float16.hpp"
#include "base/rng.hpp"
#include "halfstep/error.hpp"
#include "nn/batch_norm.hpp"
#include "nn/row_pass.hpp"

namespace halfstep {
namespace {

Activations make_activations(std::size_t rows, std::size_t columns, Dtype dtype, bool panels) {
  Activations a;
  a.dtype = dtype;
  a.ld = leading_dimension(columns, size_of(dtype));
  a.panel_stride = rows * kLanes;
  a.rows = AlignedBuffer<std::byte>(rows * a.ld * size_of(dtype));
  if (panels) a.panels = AlignedBuffer<std::byte>(rows * pad_columns(columns) * size_of(dtype));
  return a;
}

std::size_t bytes(const Activations& a) { return a.rows.size() + a.panels.size(); }

Dtype dtype_of(const MlpShape& shape, std::size_t layer) {
  return shape.layer_dtypes.empty() ? shape.dtype : shape.layer_dtypes[layer];
}

Dense make_dense(const MlpShape& shape, std::size_t index, std::size_t rows) {
  const std::size_t last = shape.widths.size() - 2;
  Dense l;
  l.dtype = dtype_of(shape, index);
  l.master = shape.master || l.dtype == Dtype::fp32;
  l.layout = {.out = shape.widths[index + 1], .in = shape.widths[index]};
  l.activation = index == last ? Activation::identity : shape.activation;
  const std::size_t size = l.layout.size(), out = pad_columns(l.layout.out);
  l.weight = AlignedBuffer<float>(size);
  l.bias = AlignedBuffer<float>(out);
  l.packed_forward = AlignedBuffer<std::byte>(size * size_of(l.dtype));
  if (index != last) {
    l.residual = shape.residual && l.layout.in == l.layout.out;
    l.y = make_activations(rows, l.layout.out, dtype_of(shape, index + 1), shape.training);
    l.norm = shape.norm;
    if (l.norm != Norm::none) claim_norm(l, rows, shape.training);
    const bool way_back = derivative_needs_input(l.activation) || shape.dropout > 0 || l.residual;
    if (l.norm != Norm::none || (shape.training && way_back)) {
      l.z = AlignedBuffer<std::byte>(rows * l.y.ld * size_of(l.y.dtype));
    }
  }
  if (!shape.training) return l;
  l.weight_grad = AlignedBuffer<float>(size);
  l.bias_grad = AlignedBuffer<float>(out);
  if (index > 0) l.packed_backward = AlignedBuffer<std::byte>(size * size_of(l.dtype));
  l.d = make_activations(rows, l.layout.out, l.dtype, true);
  l.d_sums = AlignedBuffer<float>(sum_chunks(rows) * out);
  l.squares = AlignedBuffer<double>(l.layout.strips() * l.layout.blocks() + 1);
  return l;
}

// Those that let about half of the variance through, for which He et al. (2015) double the weights' variance.
bool is_rectifier(Activation activation) {
  return activation != Activation::identity && activation != Activation::tanh && activation != Activation::sigmoid;
}

[[noreturn]] void refuse_batch() {
  throw Error(Status::invalid_argument, {.what = "BatchNorm cannot train on a batch of one row",
                                         .where = {},
                                         .why = "its statistics are those of the rows of a batch",
                                         .kept = {},
                                         .hint = "batches of two rows or more"});
}

// The strips that values are put into before they are packed.
void claim_strips(Dense& l) {
  if (l.weight.size() == 0) l.weight = AlignedBuffer<float>(l.layout.size());
}

}  // namespace

StorageTarget Activations::target() {
  return {rows.data(), ld, panels.size() ? panels.data() : nullptr, panel_stride, dtype};
}

Mlp::Mlp(MlpShape shape) : shape_(std::move(shape)) {
  const std::size_t rows = pad_rows(shape_.max_rows);
  input_ = make_activations(rows, shape_.widths.front(), dtype_of(shape_, 0), shape_.training);
  for (std::size_t i = 0; i + 1 < shape_.widths.size(); ++i) layers_.push_back(make_dense(shape_, i, rows));
  logits_ = AlignedBuffer<float>(rows * logits_ld());
  const bool whole_rows = shape_.norm != Norm::none || shape_.dropout > 0;
  if (!shape_.training || !(whole_rows || shape_.residual)) return;
  std::size_t widest = 0;
  for (std::size_t i = 1; i + 1 < shape_.widths.size(); ++i) widest = std::max(widest, shape_.widths[i]);
  d_y_ = AlignedBuffer<float>(rows * pad_columns(widest));
  if (whole_rows && shape_.residual) d_z_ = AlignedBuffer<float>(d_y_.size());
}

std::size_t Mlp::parameters() const {
  std::size_t count = 0;
  for (const Dense& l : layers_) count += l.layout.out * (l.layout.in + 1 + l.norm_parameters.size());
  return count;
}

ModelMemory Mlp::memory() const {
  ModelMemory m = {0, 0, 0, bytes(input_) + 4 * logits_.size(), 4 * (d_y_.size() + d_z_.size())};
  for (const Dense& l : layers_) {
    m.masters += 4 * (l.weight.size() + l.bias.size());
    m.working_weights += l.packed_forward.size() + l.packed_backward.size();
    m.gradients += 4 * (l.weight_grad.size() + l.bias_grad.size()) + 8 * l.squares.size();
    m.activations += bytes(l.y) + l.z.size() + l.statistics.size() * sizeof(RowStatistics);
    m.activation_gradients += bytes(l.d) + 4 * l.d_sums.size();
    for (const NormParameter& p : l.norm_parameters) {
      m.masters += 4 * p.values.size();
      m.gradients += 4 * p.grad.size();
      m.activation_gradients += 4 * p.sums.size();
    }
    for (const RunningStatistic& s : l.running) m.masters += 4 * (s.values.size() + s.next.size());
    m.activations += 4 * l.columns.mean.size() * 4;  // four vectors
    m.activation_gradients += 4 * (l.columns.d_gamma.size() + l.columns.d_beta.size());
  }
  return m;
}

void Mlp::initialise(std::uint64_t seed, const KernelTable& kernels) {
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    Dense& l = layers_[index];
    claim_strips(l);
    initialise_norm(l);
    const bool rectifier = is_rectifier(l.activation);
    const double fan =
        rectifier ? static_cast<double>(l.layout.in) : 0.5 * static_cast<double>(l.layout.in + l.layout.out);
    const auto bound = static_cast<float>(std::sqrt((rectifier ? 6.0 : 3.0) / fan));
    const Rng rng(seed, 0x1000 + index);
    for (std::size_t o = 0; o < l.layout.out; ++o) {
      for (std::size_t i = 0; i < l.layout.in; ++i) {
        l.weight[l.layout.offset(o, i)] = (2.0f * rng.uniform(o * l.layout.in + i) - 1.0f) * bound;
      }
    }
  }
  pack_all(kernels);
}

std::byte* Mlp::forward_block(Dense& l, std::size_t strip, std::size_t block) const {
  return l.packed_forward.data() +
         (strip * l.layout.forward_panel() + block * kBlockColumns * kLanes) * size_of(l.dtype);
}

float* Mlp::weight_block(const KernelTable& kernels, std::size_t layer, std::size_t strip, std::size_t block,
                         float* scratch) {
  Dense& l = layers_[layer];
  if (l.weight.size() > 0) return l.weight.data() + l.layout.block_offset(strip, block);
  kernels.unpack_strip[index_of(l.dtype)](l.layout.block_columns(block), forward_block(l, strip, block), scratch);
  return scratch;
}

void Mlp::pack_block(const KernelTable& kernels, std::size_t layer, std::size_t strip, std::size_t block,
                     const float* values) {
  Dense& l = layers_[layer];
  const std::size_t element = size_of(l.dtype);
  std::byte* backward =
      l.packed_backward.size() == 0
          ? nullptr
          : l.packed_backward.data() +
                (block * kBlockColumns / kLanes * l.layout.backward_panel() + strip * kLanes * kLanes) * element;
  kernels.pack_strip[index_of(l.dtype)](l.layout.block_columns(block), values, forward_block(l, strip, block), backward,
                                        l.layout.backward_panel());
}

void Mlp::pack_all(const KernelTable& kernels) {
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    Dense& l = layers_[layer];
    for (std::size_t s = 0; s < l.layout.strips(); ++s) {
      for (std::size_t b = 0; b < l.layout.blocks(); ++b) {
        pack_block(kernels, layer, s, b, l.weight.data() + l.layout.block_offset(s, b));
      }
    }
  }
  drop_strips();
}

void Mlp::drop_strips() {
  for (Dense& l : layers_) {
    if (!l.master) l.weight = {};
  }
}

void Mlp::forward(GemmContext& ctx, std::size_t rows, std::optional<std::uint64_t> mask,
                  std::span<const SideTasks> beside) {
  mask_ = mask;
  const bool follow = mask && shape_.norm == Norm::batch;
  if (follow && rows < 2) refuse_batch();
  const std::size_t last = layers_.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    forward_layer(ctx, i, rows, layers_[i].y.target(), layers_[i].z.size() ? layers_[i].z.data() : nullptr,
                  i < beside.size() ? beside[i] : SideTasks{});
    if (follow) follow_batch(ctx.kernels, layers_[i], rows);
  }
  const Dense& l = layers_[last];
  ForwardEpilogue e = {};
  e.bias = l.bias.data();
  e.logits = logits_.data();
  e.logits_ld = logits_ld();
  forward_product(ctx, pad_rows(rows), l.layout, input_of(last).rows_operand(), l.packed_forward.data(), e);
}

void Mlp::forward_layer(GemmContext& ctx, std::size_t layer, std::size_t rows, StorageTarget y, std::byte* z,
                        const SideTasks& side) {
  Dense& l = layers_[layer];
  if (takes_whole_rows(l)) {
    pre_activation(ctx, layer, rows, {l.z.data(), l.y.ld, nullptr, 0, l.y.dtype}, side);
    if (l.norm == Norm::batch) {
      mask_ ? take_batch_statistics(ctx, l, rows) : take_running_statistics(ctx.kernels, l);
    }
    return forward_rows(ctx, l, rows, mask_of(layer), skip_of(layer), y);
  }
  ForwardEpilogue e = {};
  e.bias = l.bias.data();
  e.activation = l.activation;
  e.y = y;
  e.z = z;
  e.z_ld = y.ld;
  const RowsOperand skip = skip_of(layer);
  e.skip = skip.data;
  e.skip_ld = skip.ld;
  e.skip_dtype = skip.dtype;
  forward_product(ctx, pad_rows(rows), l.layout, input_of(layer).rows_operand(), l.packed_forward.data(), e, side);
}

void Mlp::pre_activation(GemmContext& ctx, std::size_t layer, std::size_t rows, StorageTarget z,
                         const SideTasks& side) {
  const Dense& l = layers_[layer];
  ForwardEpilogue e = {};
  e.bias = l.bias.data();
  e.y = z;
  forward_product(ctx, pad_rows(rows), l.layout, input_of(layer).rows_operand(), l.packed_forward.data(), e, side);
}

RowsOperand Mlp::skip_of(std::size_t layer) const {
  return layers_[layer].residual ? input_of(layer).rows_operand() : RowsOperand{};
}

bool Mlp::takes_whole_rows(const Dense& l) const { return l.norm != Norm::none || (mask_ && shape_.dropout > 0); }

// A stream for each step and layer, beside those of the optimizer (optim/optimizer.cpp).
DropoutMask Mlp::mask_of(std::size_t layer) const {
  if (!mask_ || shape_.dropout == 0) return {};
  const auto dropped = static_cast<std::uint32_t>(std::lround(shape_.dropout * 65536));
  return {shape_.mask_seed, *mask_ << 24 | layer << 2 | 3, std::clamp(dropped, 1u, 65535u)};
}

void Mlp::backward(GemmContext& ctx, std::size_t rows, bool accumulate, StageWatch* watch) {
  for (std::size_t i = layers_.size(); i-- > 0;) {
    Dense& l = layers_[i];
    enter(watch, StepStage::bias_gradient);
    bias_gradient(ctx, l, rows, accumulate);
    norm_gradient(ctx, l, rows, accumulate);
    WeightGradientProduct weight(ctx, pad_rows(rows), l.layout, l.d.panels_operand(), input_of(i).panels_operand(),
                                 {l.weight_grad.data(), accumulate, l.squares.data()});
    // Neither gradient needs the other: together they wait once for their last task. A watch sees them one by one.
    const bool together = i > 0 && watch == nullptr;
    if (!together) {
      enter(watch, StepStage::weight_gradient);
      run(ctx, weight);
    }
    if (i == 0) break;  // nobody needs the gradient by the inputs
    enter(watch, StepStage::input_gradient);
    const StorageTarget d = layers_[i - 1].d.target();
    float* const sums = layers_[i - 1].d_sums.data();
    InputGradientProduct input = input_gradient_product_of(ctx, i, rows, d, sums);
    together ? run_together(ctx, input, weight) : run(ctx, input);
    input_gradient_rows(ctx, i, rows, d, sums);
  }
}

void Mlp::input_gradient(GemmContext& ctx, std::size_t layer, std::size_t rows, StorageTarget d, float* sums) {
  InputGradientProduct product = input_gradient_product_of(ctx, layer, rows, d, sums);
  run(ctx, product);
  input_gradient_rows(ctx, layer, rows, d, sums);
}

InputGradientProduct Mlp::input_gradient_product_of(GemmContext& ctx, std::size_t layer, std::size_t rows,
                                                    StorageTarget d, float* sums) {
  const Dense& l = layers_[layer];
  Dense& below = layers_[layer - 1];
  BackwardEpilogue e = {};
  e.activation = below.activation;
  e.saved = below.z.size() ? below.z.data() : below.y.rows.data();
  e.saved_ld = below.y.ld;
  e.saved_dtype = below.y.dtype;
  e.sums = sums;
  e.d = d;
  const bool whole_rows = takes_whole_rows(below);
  e.add_d_y = l.residual;
  e.keep_d_y = below.residual && !whole_rows;
  if (e.add_d_y || e.keep_d_y) {
    e.d_y = d_y_.data();
    e.d_y_ld = pad_columns(below.layout.out);
  }
  if (whole_rows) {
    e.activation = Activation::identity;
    e.d = {d_y_.data(), pad_columns(below.layout.out), nullptr, 0, Dtype::fp32};
  }
  return InputGradientProduct(ctx, pad_rows(rows), l.layout, l.d.rows_operand(), l.packed_backward.data(), e);
}

void Mlp::input_gradient_rows(GemmContext& ctx, std::size_t layer, std::size_t rows, StorageTarget d, float* sums) {
  Dense& below = layers_[layer - 1];
  if (!takes_whole_rows(below)) return;
  float* const d_z = below.residual ? d_z_.data() : d_y_.data();
  backward_rows(ctx, below, rows, mask_of(layer - 1), d_y_.data(), d_z, d, sums);
}

void Mlp::settle_statistics(bool applied) {
  for (Dense& l : layers_) {
    for (RunningStatistic& s : l.running) {
      applied ? std::copy(s.next.begin(), s.next.end(), s.values.begin())
              : std::copy(s.values.begin(), s.values.end(), s.next.begin());
    }
  }
}

void Mlp::bias_gradient(GemmContext& ctx, Dense& layer, std::size_t rows, bool accumulate) {
  const std::size_t width = layer.bias.size();
  if (!accumulate) std::fill(layer.bias_grad.begin(), layer.bias_grad.end(), 0.0f);
  for (std::size_t chunk = 0; chunk < sum_chunks(rows); ++chunk) {
    ctx.kernels.add(width, layer.d_sums.data() + chunk * width, layer.bias_grad.data());
  }
  layer.squares.back() = ctx.kernels.sum_squares(width, layer.bias_grad.data());
}

// Panels over out (kernels/table.hpp).
std::size_t Dense::packed_place(std::size_t out, std::size_t in) const {
  const std::size_t lane = out % kLanes;
  const std::size_t place = dtype == Dtype::bf16 ? in / 2 * 2 * kLanes + 2 * lane + in % 2 : in * kLanes + lane;
  return out / kLanes * layout.forward_panel() + place;
}

float Mlp::weight_at(const Dense& l, std::size_t out, std::size_t in) const {
  if (l.weight.size() > 0) return l.weight[l.layout.offset(out, in)];
  const std::uint16_t word = reinterpret_cast<const std::uint16_t*>(l.packed_forward.data())[l.packed_place(out, in)];
  return l.dtype == Dtype::bf16 ? to_fp32(Bf16{word}) : to_fp32(Fp16{word});
}

std::vector<NamedTensor> Mlp::tensors() const {
  std::vector<NamedTensor> out;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Dense& l = layers_[index];
    const std::string name = "layers." + std::to_string(index);
    NamedTensor weight{name + ".weight", {l.layout.out, l.layout.in}, {}};
    weight.values.reserve(l.layout.out * l.layout.in);
    for (std::size_t o = 0; o < l.layout.out; ++o) {
      for (std::size_t i = 0; i < l.layout.in; ++i) weight.values.push_back(weight_at(l, o, i));
    }
    out.push_back(std::move(weight));
    out.push_back({name + ".bias", {l.layout.out}, {l.bias.begin(), l.bias.begin() + l.layout.out}});
    for (const NormParameter& p : l.norm_parameters) {
      out.push_back({name + "." + p.name, {l.layout.out}, {p.values.begin(), p.values.begin() + l.layout.out}});
    }
    for (const RunningStatistic& s : l.running) {
      out.push_back({name + "." + s.name, {l.layout.out}, {s.values.begin(), s.values.begin() + l.layout.out}});
    }
  }
  return out;
}

void Mlp::set_tensors(const std::vector<NamedTensor>& tensors) {
  auto find = [&](const std::string& name, const std::vector<std::size_t>& shape) -> const NamedTensor& {
    for (const NamedTensor& t : tensors) {
      if (t.name == name && t.shape == shape) return t;
    }
    throw Error(Status::format, {.what = "the model does not fit its own description",
                                 .where = name,
                                 .why = "this tensor is missing or has another shape",
                                 .kept = {},
                                 .hint = {}});
  };
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    Dense& l = layers_[index];
    const std::string name = "layers." + std::to_string(index);
    const NamedTensor& weight = find(name + ".weight", {l.layout.out, l.layout.in});
    const NamedTensor& bias = find(name + ".bias", {l.layout.out});
    claim_strips(l);
    for (std::size_t o = 0; o < l.layout.out; ++o) {
      for (std::size_t i = 0; i < l.layout.in; ++i) {
        l.weight[l.layout.offset(o, i)] = weight.values[o * l.layout.in + i];
      }
      l.bias[o] = bias.values[o];
    }
    for (NormParameter& p : l.norm_parameters) {
      const std::vector<float>& values = find(name + "." + p.name, {l.layout.out}).values;
      std::copy(values.begin(), values.end(), p.values.begin());
    }
    for (RunningStatistic& s : l.running) {
      const std::vector<float>& values = find(name + "." + s.name, {l.layout.out}).values;
      std::copy(values.begin(), values.end(), s.values.begin());
    }
  }
  settle_statistics(false);
}

}  // namespace halfstep
