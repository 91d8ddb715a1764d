#include "data/split.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/rng.hpp"
#include "data/examples.hpp"
#include "data/take.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

// Streams of random numbers under the run's seed. Epochs count up from the second.
constexpr std::uint64_t kSplitStream = 0x53504c4954ull << 24;
constexpr std::uint64_t kOrderStream = 0x4f52444552ull << 24;

// Fisher-Yates.
std::vector<std::uint32_t> shuffled(std::size_t rows, const Rng& rng) {
  if (rows > std::numeric_limits<std::uint32_t>::max()) {
    fail(Status::limit, "too many rows", "", std::to_string(rows) + " rows do not fit 32 bits");
  }
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = rows; i > 1; --i) std::swap(order[i - 1], order[rng.below(i, static_cast<std::uint32_t>(i))]);
  return order;
}

}  // namespace

Split split_rows(std::size_t rows, double validation, std::uint64_t seed) {
  std::vector<std::uint32_t> order = shuffled(rows, Rng(seed, kSplitStream));
  std::size_t held_out = 0;
  if (validation > 0 && rows > 1) {
    const double wanted = std::round(std::min(validation, 1.0) * static_cast<double>(rows));
    held_out = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, rows - 1);
  }
  const auto cut = order.begin() + static_cast<std::ptrdiff_t>(held_out);
  Split split{{cut, order.end()}, {order.begin(), cut}};
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

std::vector<std::uint32_t> epoch_order(std::size_t rows, std::uint64_t seed, std::uint64_t epoch) {
  return shuffled(rows, Rng(seed, kOrderStream + epoch));
}

Examples in_full(Examples examples) {
  if (examples.sparse.empty()) return examples;
  const SparseRows<float> sparse = std::exchange(examples.sparse, {});
  const std::vector<float> usual = std::exchange(examples.usual, {});
  examples.x.reserve(examples.rows * usual.size());
  for (std::size_t row = 0; row < examples.rows; ++row) {
    examples.x.insert(examples.x.end(), usual.begin(), usual.end());
    for (std::size_t i = sparse.offsets[row]; i < sparse.offsets[row + 1]; ++i) {
      examples.x[row * usual.size() + sparse.columns[i]] = sparse.values[i];
    }
  }
  return examples;
}

Examples take_rows(const Examples& from, std::span<const std::uint32_t> rows) {
  Examples to;
  to.rows = rows.size();
  to.features = from.features;
  to.byte_scale = from.byte_scale;
  to.byte_shift = from.byte_shift;
  to.x = take(from.x, from.features, rows);
  if (from.file) to.x.resize(rows.size() * from.features);
  for (std::size_t i = 0; from.file && i < rows.size(); ++i) from.file->read(rows[i], &to.x[i * from.features]);
  to.bytes = take(from.bytes, from.features, rows);
  to.sparse = take_rows(from.sparse, rows);
  to.usual = from.usual;
  to.labels = take(from.labels, 1, rows);
  to.outputs = from.outputs;
  to.targets = take(from.targets, from.outputs, rows);
  to.exact_targets = take(from.exact_targets, from.outputs, rows);
  to.weights = take(from.weights, 1, rows);
  return to;
}

}  // namespace halfstep::internal::data
