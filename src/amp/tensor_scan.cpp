#include "amp/tensor_scan.hpp"
#include "base/dtype.hpp"

#include <algorithm>
#include <bit>

namespace halfstep::internal {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;  // elements
constexpr std::size_t kWorthAThread = std::size_t{1} << 17;

struct Chunk {
  std::size_t tensor, first, count;
};

std::vector<Chunk> cut(std::span<const GradientTensor> tensors) {
  std::vector<Chunk> chunks;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for (std::size_t first = 0; first < tensors[t].elements; first += kChunk) {
      chunks.push_back({t, first, std::min(kChunk, tensors[t].elements - first)});
    }
  }
  return chunks;
}

}  // namespace

std::vector<TensorScan> scan_tensors(const KernelTable& kernels, Executor& executor,
                                     std::span<const GradientTensor> tensors, float limit) {
  const std::vector<Chunk> chunks = cut(tensors);
  std::vector<GradientScan> scans(chunks.size());
  std::size_t elements = 0;
  for (const GradientTensor& t : tensors) elements += t.elements;
  auto body = [&](std::size_t task, int) {
    const auto& [index, first, count] = chunks[task];
    const GradientTensor& t = tensors[index];
    const std::size_t bytes = size_of(t.dtype);
    scans[task] = kernels.scan[index_of(t.dtype)](count, static_cast<const std::byte*>(t.data) + first * bytes, limit);
  };
  executor.run(chunks.size(), body, elements < kWorthAThread ? 1 : 0);
  std::vector<std::uint32_t> largest(tensors.size());
  std::vector<TensorScan> out(tensors.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    TensorScan& t = out[chunks[i].tensor];
    t.squares += scans[i].squares;
    largest[chunks[i].tensor] = std::max(largest[chunks[i].tensor], scans[i].largest);
    t.largest = std::bit_cast<float>(largest[chunks[i].tensor]);
  }
  return out;
}

}  // namespace halfstep::internal
