#include "train/batcher.hpp"

#include <algorithm>
#include <cstring>

#include "base/dtype.hpp"
#include "gemm/tiling.hpp"

namespace halfstep {

Batcher::Batcher(const data::Examples& examples, std::size_t max_rows, int threads)
    : examples_(examples), width_(pad_columns(examples.features)), labels_(max_rows), values_(max_rows) {
  for (int i = 0; i < threads; ++i) scratch_.emplace_back(2 * width_);
}

void Batcher::gather(const KernelTable& kernels, std::uint32_t row, float* out) const {
  const std::size_t n = examples_.features;
  if (examples_.bytes.empty()) {
    std::copy_n(examples_.x.data() + row * n, n, out);
    return;
  }
  kernels.bytes_to_fp32(n, examples_.bytes.data() + row * n, examples_.byte_scale, examples_.byte_shift, out);
}

// Rows lie anywhere in memory: a row is fetched while those before it are converted.
void Batcher::ask_for(std::uint32_t row) const {
  const std::size_t n = examples_.features, element = examples_.bytes.empty() ? sizeof(float) : 1;
  const void* const rows =
      examples_.bytes.empty() ? static_cast<const void*>(examples_.x.data()) : examples_.bytes.data();
  const std::byte* const begin = at(rows, row * n * element);
  for (std::size_t i = 0; i < n * element; i += kCacheLine) __builtin_prefetch(begin + i);
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
      for (std::size_t next = 2 * p + 2; next < std::min(2 * p + 4, order.size()); ++next) ask_for(order[next]);
      gather(context.kernels, order[2 * p], row0);
      if (2 * p + 1 < order.size()) {
        gather(context.kernels, order[2 * p + 1], row1);
      } else {
        std::memset(row1, 0, width_ * sizeof(float));
      }
      StorageTarget t = input.target();
      t.rows = static_cast<std::byte*>(t.rows) + 2 * p * t.ld * element;
      if (t.panels) t.panels = static_cast<std::byte*>(t.panels) + 2 * p * kLanes * element;
      context.kernels.store_rows[index_of(input.dtype)](width_, row0, row1, t);
    }
  };
  constexpr std::size_t kWorthWaking = std::size_t{1} << 14;  // elements
  context.executor.run((pairs + kPairsPerTask - 1) / kPairsPerTask, body, order.size() * width_ < kWorthWaking ? 1 : 0);
}

}  // namespace halfstep
