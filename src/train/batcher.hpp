// Cuts examples into batches: gathers rows, standardises, rounds once to the storage type, in both layouts.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/examples.hpp"
#include "gemm/gemm.hpp"
#include "loss/loss.hpp"
#include "nn/network.hpp"

namespace halfstep {

class Batcher {
 public:
  // Room for the targets of `max_rows` rows is taken here.
  Batcher(const data::Examples& examples, std::size_t max_rows, int threads);

  // The targets of the rows `order`, at most max_rows; they hold until the next call.
  Targets targets(std::span<const std::uint32_t> order);
  // Puts the rows `order` into `input`, a zero row behind an odd count.
  void load(GemmContext& context, std::span<const std::uint32_t> order, Activations& input);

 private:
  void gather(const KernelTable& kernels, std::uint32_t row, float* out) const;
  void ask_for(std::uint32_t row) const;

  const data::Examples& examples_;
  std::size_t width_;                          // padded features
  std::vector<AlignedBuffer<float>> scratch_;  // two rows a thread
  std::vector<std::int32_t> labels_;
  std::vector<float> values_;
};

}  // namespace halfstep
