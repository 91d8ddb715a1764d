// One forward or backward pass over a batch, as the blocks of a network see it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gemm/gemm.hpp"

namespace halfstep::internal {

struct Pass {
  GemmContext& context;
  std::size_t rows;  // of the batch: a zero row may stand behind an odd count
  // While training, the number of the step, of which and of a row's place in it the masks of dropout are functions.
  // None: nothing is dropped, and BatchNorm goes by its running statistics.
  std::optional<std::uint64_t> mask = {};
  std::size_t first_row = 0;  // of these, in the step
  // fp32 scratch of gradients by a block's output and by its pre-activation, [rows][widest block]; shared by all
  // blocks, null where no block wants it.
  float* d_y = nullptr;
  float* d_z = nullptr;

  const KernelTable& kernels() const { return context.kernels; }
};

}  // namespace halfstep::internal
