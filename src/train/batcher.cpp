#include "train/batcher.hpp"

#include <algorithm>
#include <cstring>

namespace halfstep {

Batcher::Batcher(const data::Examples& examples, std::size_t max_rows, int threads)
    : examples_(examples), width_(pad_columns(examples.features)), labels_(max_rows), values_(max_rows) {
  for (int i = 0; i < threads; ++i) scratch_.emplace_back(2 * width_);
}

void Batcher::gather(std::uint32_t row, float* out) const {
  const std::size_t n = examples_.features;
  if (examples_.bytes.empty()) {
    std::copy_n(examples_.x.data() + row * n, n, out);
    return;
  }
  const std::uint8_t* bytes = examples_.bytes.data() + row * n;
  const float scale = examples_.byte_scale, shift = examples_.byte_shift;
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(bytes[i]) * scale + shift;
}

Targets Batcher::targets(std::span<const std::uint32_t> order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!examples_.labels.empty()) labels_[i] = examples_.labels[order[i]];
    if (!examples_.targets.empty()) values_[i] = examples_.targets[order[i]];
  }
  return {labels_.data(), values_.data()};
}

void Batcher::load(GemmContext& context, std::span<const std::uint32_t> order, Activations& input) {
  constexpr std::size_t kPairsPerTask = 8;
  const std::size_t pairs = (order.size() + 1) / 2;
  const std::size_t element = size_of(input.dtype);
  auto body = [&](std::size_t task, int worker) {
    float* row0 = scratch_[static_cast<std::size_t>(worker)].data();
    float* row1 = row0 + width_;
    for (std::size_t p = task * kPairsPerTask; p < std::min(pairs, (task + 1) * kPairsPerTask); ++p) {
      gather(order[2 * p], row0);
      if (2 * p + 1 < order.size()) {
        gather(order[2 * p + 1], row1);
      } else {
        std::memset(row1, 0, width_ * sizeof(float));
      }
      StorageTarget t = input.target();
      t.rows = static_cast<std::byte*>(t.rows) + 2 * p * t.ld * element;
      if (t.panels) t.panels = static_cast<std::byte*>(t.panels) + 2 * p * kLanes * element;
      context.kernels.store_rows[static_cast<std::size_t>(input.dtype)](width_, row0, row1, t);
    }
  };
  constexpr std::size_t kWorthWaking = std::size_t{1} << 14;  // elements
  context.executor.run((pairs + kPairsPerTask - 1) / kPairsPerTask, body, order.size() * width_ < kWorthWaking ? 1 : 0);
}

}  // namespace halfstep
