#include "train/row_loader.hpp"

#include <algorithm>
#include <cstring>

#include "base/dtype.hpp"
#include "gemm/tiling.hpp"

namespace halfstep::internal {
namespace {

void scatter(const data::SparseRows<float>& rows, std::size_t row, float* out) {
  const std::size_t end = rows.offsets[row + 1];
  for (std::size_t i = rows.offsets[row]; i < end; ++i) out[rows.columns[i]] = rows.values[i];
}

void gather(const KernelTable& kernels, const InputRows& from, std::size_t row, float* out) {
  const std::size_t n = from.features;
  if (from.file != nullptr) return from.file->read(row, out);
  if (from.sparse != nullptr) return scatter(*from.sparse, row, std::copy_n(from.x, n, out) - n);
  if (from.bytes == nullptr) {
    std::copy_n(from.x + row * n, n, out);
    return;
  }
  kernels.bytes_to_fp32(n, from.bytes + row * n, from.byte_scale, from.byte_shift, out);
}

// Rows lie anywhere in memory: a row is prefetched while those before it are converted.
void prefetch(const InputRows& from, std::size_t row) {
  if (from.sparse != nullptr || from.file != nullptr) return;
  const std::size_t n = from.features, element = from.bytes == nullptr ? sizeof(float) : 1;
  const void* const rows = from.bytes == nullptr ? static_cast<const void*>(from.x) : from.bytes;
  const std::byte* const begin = at(rows, row * n * element);
  for (std::size_t i = 0; i < n * element; i += kCacheLine) __builtin_prefetch(begin + i);
}

}  // namespace

InputRows input_rows(const data::Examples& e) {
  if (!e.sparse.empty()) return {.features = e.features, .x = e.usual.data(), .sparse = &e.sparse};
  if (e.file) return {.features = e.features, .file = e.file.get()};
  return {e.features, e.x.data(), e.bytes.empty() ? nullptr : e.bytes.data(), e.byte_scale, e.byte_shift};
}

RowLoader::RowLoader(std::size_t features, int threads) : width_(pad_columns(features)) {
  for (int i = 0; i < threads; ++i) scratch_.emplace_back(2 * width_);
}

void RowLoader::load(GemmContext& context, const InputRows& from, const RowOrder& order, Activations& input) {
  constexpr std::size_t kPairsPerTask = 8;
  const std::size_t pairs = (order.count + 1) / 2;
  const std::size_t element = size_of(input.dtype);
  auto body = [&](std::size_t task, int worker) {
    float* row0 = scratch_[static_cast<std::size_t>(worker)].data();
    float* row1 = row0 + width_;
    for (std::size_t p = task * kPairsPerTask; p < std::min(pairs, (task + 1) * kPairsPerTask); ++p) {
      for (std::size_t next = 2 * p + 2; next < std::min(2 * p + 4, order.count); ++next) prefetch(from, order[next]);
      gather(context.kernels, from, order[2 * p], row0);
      if (2 * p + 1 < order.count) {
        gather(context.kernels, from, order[2 * p + 1], row1);
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
  context.executor.run((pairs + kPairsPerTask - 1) / kPairsPerTask, body, order.count * width_ < kWorthWaking ? 1 : 0);
}

}  // namespace halfstep::internal
