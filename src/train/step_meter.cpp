#include "train/step_meter.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace halfstep::internal {
namespace {

float least_normal(Dtype dtype) { return dtype == Dtype::fp16 ? 0x1p-14f : 0x1p-126f; }

// Weight gradients as a layer of this precision would store them.
void count_gradient(const KernelTable& kernels, const Parameter& weight, TensorMeter& meter) {
  const WeightLayout& layout = weight.strips;
  for (std::size_t o = 0; o < layout.out; ++o) {
    for (std::size_t i = 0; i < layout.in; i += kBlockColumns) {
      count_storage(kernels, std::min(kBlockColumns, layout.in - i), weight.gradient.data() + layout.offset(o, i),
                    meter);
    }
  }
}

UpdateMeter update_meter(const Parameter& weight, const std::byte* before) {
  UpdateMeter meter = {weight.name, weight.storage, 0, 0};
  const std::size_t element = size_of(weight.storage);
  for (std::size_t o = 0; o < weight.strips.out; ++o) {
    for (std::size_t i = 0; i < weight.strips.in; ++i) {
      const std::size_t at = weight.packed_index(o, i) * element;
      ++meter.weights;
      meter.unchanged += std::memcmp(weight.packed_forward.data() + at, before + at, element) == 0;
    }
  }
  return meter;
}

// "layers.0.d" is the gradient that "layers.0.weight" has its own from.
std::string weight_of(const std::string& d) { return d.substr(0, d.size() - 1) + "weight"; }

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
      meter.largest = std::max(meter.largest, static_cast<double>(std::fabs(value[i])));
      meter.flushed += size == 0;
      meter.subnormal += size > 0 && size < least_normal(meter.storage);
      meter.saturated += std::isinf(size);
    }
  }
  meter.elements += static_cast<std::int64_t>(n);
}

StepMeter::StepMeter(Network& network) : network_(network) {
  const std::size_t rows = pad_rows(network.layer_rows(network.shape().max_rows)),
                    width = pad_columns(network.widest());
  scratch_ = AlignedBuffer<float>(network.replay_targets() * rows * width);
  sums_ = AlignedBuffer<float>(network.replay_targets() * sum_chunks(rows) * width);
  for (const Parameter* p : network.parameters()) {
    if (p->is_matrix()) weights_.push_back({p, AlignedBuffer<std::byte>(p->packed_forward.size())});
  }
}

std::size_t StepMeter::memory_bytes() const {
  std::size_t total = (scratch_.size() + sums_.size()) * sizeof(float);
  for (const Weight& w : weights_) total += w.before_update.size();
  return total;
}

StorageTarget StepMeter::scratch_target(std::size_t columns) {
  return {scratch_.data(), pad_columns(columns), nullptr, 0, Dtype::fp32};
}

void StepMeter::begin() {
  report_ = {};
  for (Weight& w : weights_) {
    std::copy(w.parameter->packed_forward.begin(), w.parameter->packed_forward.end(), w.before_update.begin());
  }
}

TensorMeter& StepMeter::meter_of(const std::string& tensor, Dtype storage) {
  for (TensorMeter& meter : report_.tensors) {
    if (meter.tensor == tensor) return meter;
  }
  TensorMeter& meter = report_.tensors.emplace_back();
  meter.tensor = tensor;
  meter.storage = storage;
  return meter;
}

void StepMeter::add(const KernelTable& kernels, std::size_t rows, const Network::Replayed& r) {
  TensorMeter& matrix = meter_of(r.name, r.storage);
  for (std::size_t row = 0; row < rows; ++row) {
    count_storage(kernels, r.columns, r.values + row * pad_columns(r.columns), matrix);
  }
  if (r.kind != StoredSignal::Kind::gradient) return;
  const std::string name = weight_of(r.name);
  for (const Weight& w : weights_) {
    const Parameter& weight = *w.parameter;
    if (weight.name != name) continue;
    TensorMeter& gradient = meter_of("gradient of " + name, weight.storage);
    gradient = {.tensor = gradient.tensor, .storage = weight.storage};
    count_gradient(kernels, weight, gradient);
  }
}

void StepMeter::read(GemmContext& context, std::size_t examples) {
  const KernelTable& kernels = context.kernels;
  const std::size_t rows = network_.layer_rows(examples), last_layer = network_.shape().layers() - 1;
  const GradientTarget& last = network_.logits_gradient();
  add(kernels, rows,
      {last.name, StoredSignal::Kind::gradient, last.d.dtype, network_.shape().outputs_of_layer(last_layer),
       scratch_.data()});
  network_.replay(context, examples, scratch_.data(), sums_.data(),
                  [&](const Network::Replayed& r) { add(kernels, rows, r); });
}

void StepMeter::finish(bool applied, double loss_scale) {
  std::reverse(report_.tensors.begin(), report_.tensors.end());
  report_.applied = applied;
  report_.loss_scale = loss_scale;
  for (std::size_t i = 0; applied && i < weights_.size(); ++i) {
    report_.updates.push_back(update_meter(*weights_[i].parameter, weights_[i].before_update.data()));
  }
}

void StepMeter::visit_state(StateVisitor& visitor) {
  visitor.value("step", report_.step);
  visitor.value("applied", report_.applied, 2);
  visitor.number("loss_scale", report_.loss_scale);
  visitor.list("tensors", report_.tensors, [&](TensorMeter& m) {
    visitor.text("tensor", m.tensor);
    visitor.value("storage", m.storage, 3);
    visitor.value("elements", m.elements);
    visitor.value("flushed", m.flushed);
    visitor.value("subnormal", m.subnormal);
    visitor.value("saturated", m.saturated);
    visitor.value("non_finite", m.non_finite);
    visitor.array("exponents", StateType::int64, m.exponents);
  });
  visitor.list("updates", report_.updates, [&](UpdateMeter& m) {
    visitor.text("tensor", m.tensor);
    visitor.value("storage", m.storage, 3);
    visitor.value("weights", m.weights);
    visitor.value("unchanged", m.unchanged);
  });
}

}  // namespace halfstep::internal
