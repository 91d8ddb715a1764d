#include "train/weight_update.hpp"

#include <algorithm>

namespace halfstep {

WeightUpdate::WeightUpdate(GemmContext& context, Mlp& model, Optimizer& optimizer)
    : context_(context), model_(model), optimizer_(optimizer) {
  for (std::size_t i = 0; i < model_.layers().size(); ++i) {
    const WeightLayout& layout = model_.layers()[i].layout;
    Layer layer{*this, i, {}};
    for (std::size_t strip = 0; strip < layout.strips(); ++strip) {
      for (std::size_t b = 0; b < layout.blocks(); b += kBlocksOfTask) layer.tasks.push_back({strip, b});
    }
    layers_.push_back(std::move(layer));
  }
  for (std::size_t i = 1; i < layers_.size(); ++i) beside_.push_back({layers_[i].tasks.size(), layers_[i], layers_[i]});
}

// Moments, weights and both packed forms of each block, while the block is in cache.
void WeightUpdate::Layer::operator()(std::size_t task) const {
  const KernelTable& kernels = update.context_.kernels;
  const auto [strip, first] = tasks[task];
  Dense& l = update.model_.layers()[index];
  for (std::size_t b = first; b < std::min(l.layout.blocks(), first + kBlocksOfTask); ++b) {
    const std::size_t offset = l.layout.block_offset(strip, b);
    alignas(kCacheLine) float scratch[kLanes * kBlockColumns];
    float* const block = update.model_.weight_block(kernels, index, strip, b, scratch);
    update.optimizer_.apply(kernels, 2 * index, offset, l.layout.block_size(strip, b), l.weight_grad.data() + offset,
                            block);
    update.model_.pack_block(kernels, index, strip, b, block);
  }
}

void WeightUpdate::Layer::operator()(std::size_t task, MemoryRanges& ranges) const {
  const auto [strip, first] = tasks[task];
  const Dense& l = update.model_.layers()[index];
  const std::size_t last = std::min(l.layout.blocks(), first + kBlocksOfTask) - 1;
  const std::size_t begin = l.layout.block_offset(strip, first);
  const std::size_t n = l.layout.block_offset(strip, last) + l.layout.block_size(strip, last) - begin;
  ranges = {};
  ranges[0] = {l.weight_grad.data() + begin, n * sizeof(float)};
  if (l.master) ranges[1] = {l.weight.data() + begin, n * sizeof(float)};
  // Written, which reads it first.
  ranges[2] = {l.packed_forward.data() + begin * size_of(l.dtype), n * size_of(l.dtype)};
  update.optimizer_.reads(2 * index, begin, n, {ranges.begin() + 3, ranges.end()});
}

void WeightUpdate::run() {
  run_layers(0, layers_.size());
  run_vectors();
}

void WeightUpdate::begin(std::size_t cache_bytes) {
  std::size_t elements = 0;
  for (std::size_t i = 1; i < layers_.size(); ++i) elements += model_.layers()[i].layout.size();
  constexpr std::size_t kReadOfElement = 4 * sizeof(float);  // gradient, master, two moments
  if (elements * kReadOfElement <= cache_bytes) return run();
  run_layers(0, 1);
  run_vectors();
  left_ = true;
}

void WeightUpdate::finish() {
  if (left_) run_layers(1, layers_.size());
  left_ = false;
}

void WeightUpdate::run_layers(std::size_t first, std::size_t end) {
  std::size_t tasks = 0;
  for (std::size_t i = first; i < end; ++i) tasks += layers_[i].tasks.size();
  auto body = [&](std::size_t task, int) {
    std::size_t i = first;
    while (task >= layers_[i].tasks.size()) task -= layers_[i++].tasks.size();
    layers_[i](task);
  };
  // Few elements take less time than waking a thread.
  constexpr std::size_t kWorthWaking = std::size_t{1} << 13;
  context_.executor.run(tasks, body, model_.parameters() < kWorthWaking ? 1 : 0);
}

void WeightUpdate::run_vectors() {
  std::vector<Dense>& layers = model_.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    optimizer_.apply(context_.kernels, 2 * i + 1, 0, layers[i].bias.size(), layers[i].bias_grad.data(),
                     layers[i].bias.data());
  }
  std::size_t tensor = 2 * layers.size();
  for (Dense& l : layers) {
    for (NormParameter& p : l.norm_parameters) {
      optimizer_.apply(context_.kernels, tensor++, 0, p.values.size(), p.grad.data(), p.values.data());
    }
  }
}

}  // namespace halfstep
