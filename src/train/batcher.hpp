// Cuts examples into batches, in whatever order.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/examples.hpp"
#include "gemm/gemm.hpp"
#include "loss/loss.hpp"
#include "nn/network.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {

class Batcher {
 public:
  // Allocates for the targets of `max_rows` rows. `examples` must outlive it.
  Batcher(const data::Examples& examples, std::size_t max_rows, int threads);

  // The targets of the rows `order`, at most max_rows; they are valid until the next call.
  Targets targets(std::span<const std::uint32_t> order);
  // Puts the rows `order` into `input`, and a zero row behind an odd count.
  void load(GemmContext& context, std::span<const std::uint32_t> order, Activations& input);

 private:
  const data::Examples& examples_;
  RowLoader loader_;
  std::vector<std::int32_t> labels_;
  std::vector<float> values_, weights_;
};

}  // namespace halfstep::internal
