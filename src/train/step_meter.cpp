#include "train/step_meter.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace halfstep {
namespace {

float least_normal(Dtype dtype) { return dtype == Dtype::fp16 ? 0x1p-14f : 0x1p-126f; }

std::size_t widest(const MlpShape& shape) { return *std::max_element(shape.widths.begin() + 1, shape.widths.end()); }

std::string tensor_name(std::size_t layer, const char* part) { return "layers." + std::to_string(layer) + "." + part; }

// Weight gradients as a layer of this precision would store them.
TensorMeter gradient_meter(const KernelTable& kernels, std::size_t layer, const Dense& l) {
  TensorMeter meter;
  meter.tensor = "gradient of " + tensor_name(layer, "weight");
  meter.storage = l.dtype;
  for (std::size_t o = 0; o < l.layout.out; ++o) {
    for (std::size_t i = 0; i < l.layout.in; i += kBlockColumns) {
      count_storage(kernels, std::min(kBlockColumns, l.layout.in - i), l.weight_grad.data() + l.layout.offset(o, i),
                    meter);
    }
  }
  return meter;
}

UpdateMeter update_meter(std::size_t layer, const Dense& l, const std::byte* before) {
  UpdateMeter meter = {tensor_name(layer, "weight"), l.dtype, 0, 0};
  const std::size_t element = size_of(l.dtype);
  for (std::size_t o = 0; o < l.layout.out; ++o) {
    for (std::size_t i = 0; i < l.layout.in; ++i) {
      const std::size_t at = l.packed_place(o, i) * element;
      ++meter.weights;
      meter.unchanged += std::memcmp(l.packed_forward.data() + at, before + at, element) == 0;
    }
  }
  return meter;
}

}  // namespace

void count_storage(const KernelTable& kernels, std::size_t n, const float* values, TensorMeter& meter) {
  constexpr std::size_t kChunk = 256;
  alignas(kCacheLine) std::byte stored[kChunk * sizeof(float)];
  alignas(kCacheLine) float kept[kChunk];
  const auto dtype = static_cast<std::size_t>(meter.storage);
  for (std::size_t first = 0; first < n; first += kChunk) {
    const std::size_t count = std::min(kChunk, n - first);
    const float* value = values + first;
    kernels.from_fp32[dtype](count, value, stored);
    kernels.to_fp32[dtype](count, stored, kept);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t exponent = std::bit_cast<std::uint32_t>(value[i]) >> 23 & 0xff;
      const float size = std::fabs(kept[i]);
      ++meter.exponents[exponent];
      if (exponent == 255) ++meter.non_finite;
      if (exponent == 255 || exponent == 0) continue;
      meter.flushed += size == 0;
      meter.subnormal += size > 0 && size < least_normal(meter.storage);
      meter.saturated += std::isinf(size);
    }
  }
  meter.elements += static_cast<std::int64_t>(n);
}

StepMeter::StepMeter(Mlp& model) : model_(model) {
  const std::size_t rows = pad_rows(model.shape().max_rows), width = pad_columns(widest(model.shape()));
  scratch_ = AlignedBuffer<float>(rows * width);
  sums_ = AlignedBuffer<float>(sum_chunks(rows) * width);
  for (const Dense& l : model.layers()) before_update_.emplace_back(l.packed_forward.size());
}

std::size_t StepMeter::memory_bytes() const {
  std::size_t total = (scratch_.size() + sums_.size()) * sizeof(float);
  for (const auto& weights : before_update_) total += weights.size();
  return total;
}

StorageTarget StepMeter::scratch_target(std::size_t columns) {
  return {scratch_.data(), pad_columns(columns), nullptr, 0, Dtype::fp32};
}

TensorMeter StepMeter::matrix_meter(const KernelTable& kernels, std::string name, Dtype storage, std::size_t rows,
                                    std::size_t columns) const {
  TensorMeter meter;
  meter.tensor = std::move(name);
  meter.storage = storage;
  for (std::size_t r = 0; r < rows; ++r)
    count_storage(kernels, columns, scratch_.data() + r * pad_columns(columns), meter);
  return meter;
}

void StepMeter::begin() {
  report_ = {};
  for (std::size_t i = 0; i < before_update_.size(); ++i) {
    const auto& weights = model_.layers()[i].packed_forward;
    std::copy(weights.begin(), weights.end(), before_update_[i].begin());
  }
}

void StepMeter::read(GemmContext& context, std::size_t rows) {
  const KernelTable& kernels = context.kernels;
  std::vector<Dense>& layers = model_.layers();
  std::vector<TensorMeter>& out = report_.tensors;
  for (std::size_t i = layers.size(); i-- > 0;) {
    const Dense& l = layers[i];
    if (i + 1 < layers.size()) model_.input_gradient(context, i + 1, rows, scratch_target(l.layout.out), sums_.data());
    out.push_back(matrix_meter(kernels, tensor_name(i, "d"), l.d.dtype, rows, l.layout.out));
    out.push_back(gradient_meter(kernels, i, l));
    if (i + 1 == layers.size()) continue;  // logits are fp32
    if (l.norm != Norm::none) {
      model_.pre_activation(context, i, rows, scratch_target(l.layout.out));
      out.push_back(matrix_meter(kernels, tensor_name(i, "pre_activation"), l.y.dtype, rows, l.layout.out));
    }
    model_.forward_layer(context, i, rows, scratch_target(l.layout.out), nullptr);
    out.push_back(matrix_meter(kernels, tensor_name(i, "output"), l.y.dtype, rows, l.layout.out));
  }
  std::reverse(out.begin(), out.end());
}

void StepMeter::finish(bool applied, double loss_scale) {
  report_.applied = applied;
  report_.loss_scale = loss_scale;
  for (std::size_t i = 0; applied && i < before_update_.size(); ++i) {
    report_.updates.push_back(update_meter(i, model_.layers()[i], before_update_[i].data()));
  }
}

}  // namespace halfstep
