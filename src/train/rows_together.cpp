#include "train/rows_together.hpp"

#include <algorithm>

#include "gemm/layout.hpp"

namespace halfstep::internal {
namespace {

// Measured on 64-256-256-256-1 and 784-512-512-10 in bf16 and fp32, L2 of 2 MiB: 192 to 1056 a thread are alike. Fewer
// would wait for each other, and add up their weight gradients, too often.
constexpr std::size_t kRowsOfThread = 4 * kRowsGrain;

}  // namespace

std::size_t rows_together(const NetworkShape& shape, std::size_t rows, int threads) {
  const std::size_t grain = shape.members % 2 == 0 ? kRowsGrain / 2 : kRowsGrain;
  const std::size_t most = std::max(grain, kRowsOfThread * static_cast<std::size_t>(threads) / shape.members);
  if (shape.norm == Norm::batch || rows <= most) return rows;
  const std::size_t parts = (rows + most - 1) / most;
  return round_up((rows + parts - 1) / parts, grain);
}

}  // namespace halfstep::internal
