#include "train/weight_update.hpp"

#include <algorithm>

namespace halfstep::internal {

WeightUpdate::WeightUpdate(GemmContext& context, Network& network, Optimizer& optimizer)
    : context_(context), network_(network), optimizer_(optimizer), elements_(network.elements()) {
  for (std::size_t i = 0; i < network_.blocks(); ++i) blocks_.push_back({*this, {}});
  for (std::size_t t = 0; t < network_.trained().size(); ++t) {
    const Parameter& p = *network_.trained()[t];
    if (!p.is_matrix()) continue;
    if (optimizer_.takes_whole(t)) {
      wholes_.push_back(t);
      continue;
    }
    if (p.block > 0) elements_beyond_first_ += p.size();
    for (std::size_t strip = 0; strip < p.strips.strips(); ++strip) {
      for (std::size_t b = 0; b < p.strips.blocks(); b += kBlocksOfTask)
        blocks_[p.block].tasks.push_back({t, strip, b});
    }
  }
  for (std::size_t i = 1; i < blocks_.size(); ++i) beside_.push_back({blocks_[i].tasks.size(), blocks_[i], blocks_[i]});
}

// Moments, weights and both packed forms of each block, while the block is in cache.
void WeightUpdate::BlockUpdate::operator()(std::size_t task) const {
  const KernelTable& kernels = update.context_.kernels;
  const auto [tensor, strip, first] = tasks[task];
  Parameter& p = *update.network_.trained()[tensor];
  for (std::size_t b = first; b < std::min(p.strips.blocks(), first + kBlocksOfTask); ++b) {
    const std::size_t offset = p.strips.block_offset(strip, b);
    alignas(kCacheLine) float scratch[kLanes * kBlockColumns];
    float* const block = p.matrix_block(kernels, strip, b, scratch);
    update.optimizer_.apply(kernels, tensor, offset, p.strips.block_size(strip, b), p.gradient.data() + offset, block);
    p.pack_block(kernels, strip, b, block);
  }
}

void WeightUpdate::BlockUpdate::operator()(std::size_t task, MemoryRanges& ranges) const {
  const auto [tensor, strip, first] = tasks[task];
  const Parameter& p = *update.network_.trained()[tensor];
  const std::size_t last = std::min(p.strips.blocks(), first + kBlocksOfTask) - 1;
  const std::size_t begin = p.strips.block_offset(strip, first);
  const std::size_t n = p.strips.block_offset(strip, last) + p.strips.block_size(strip, last) - begin;
  ranges = {};
  ranges[0] = {p.gradient.data() + begin, n * sizeof(float)};
  if (p.has_master) ranges[1] = {p.master.data() + begin, n * sizeof(float)};
  // Written, which reads it first.
  ranges[2] = {p.packed_forward.data() + begin * size_of(p.storage), n * size_of(p.storage)};
  update.optimizer_.reads(tensor, begin, n, {ranges.begin() + 3, ranges.end()});
}

void WeightUpdate::run() {
  run_blocks(0, blocks_.size());
  run_vectors();
  run_wholes();
}

void WeightUpdate::begin(std::size_t cache_bytes) {
  constexpr std::size_t kReadOfElement = 4 * sizeof(float);  // gradient, master, two moments
  if (!wholes_.empty() || elements_beyond_first_ * kReadOfElement <= cache_bytes) return run();
  run_blocks(0, 1);
  run_vectors();
  left_ = true;
}

void WeightUpdate::finish() {
  if (left_) run_blocks(1, blocks_.size());
  left_ = false;
}

void WeightUpdate::run_blocks(std::size_t first, std::size_t end) {
  std::size_t tasks = 0;
  for (std::size_t i = first; i < end; ++i) tasks += blocks_[i].tasks.size();
  auto body = [&](std::size_t task, int) {
    std::size_t i = first;
    while (task >= blocks_[i].tasks.size()) task -= blocks_[i++].tasks.size();
    blocks_[i](task);
  };
  // Few elements take less time than waking a thread.
  constexpr std::size_t kWorthWaking = std::size_t{1} << 13;
  context_.executor.run(tasks, body, elements_ < kWorthWaking ? 1 : 0);
}

void WeightUpdate::run_wholes() {
  for (const std::size_t t : wholes_) {
    Parameter& p = *network_.trained()[t];
    const auto visit = [&](std::size_t strip, std::size_t block, Optimizer::ChangeBlock change) {
      alignas(kCacheLine) float scratch[kLanes * kBlockColumns];
      float* const weights = p.matrix_block(context_.kernels, strip, block, scratch);
      change(weights);
      p.pack_block(context_.kernels, strip, block, weights);
    };
    optimizer_.apply_matrix(context_, t, p.gradient.data(), visit);
  }
}

void WeightUpdate::run_vectors() {
  for (std::size_t t = 0; t < network_.trained().size(); ++t) {
    Parameter& p = *network_.trained()[t];
    if (p.is_matrix()) continue;
    optimizer_.apply(context_.kernels, t, 0, p.size(), p.gradient.data(), p.master.data());
  }
}

}  // namespace halfstep::internal
