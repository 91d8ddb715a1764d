#include "gemm/blocking.hpp"

#include <algorithm>

#include "gemm/gemm.hpp"

#if defined(__linux__)
#include <unistd.h>
#endif

namespace halfstep {
namespace {

CacheSizes detect() {
  CacheSizes sizes;
#if defined(__linux__) && defined(_SC_LEVEL2_CACHE_SIZE)
  if (const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE); l1 > 0) sizes.l1 = static_cast<std::size_t>(l1);
  if (const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE); l2 > 0) sizes.l2 = static_cast<std::size_t>(l2);
#endif
  return sizes;
}

// A multiple of 64 from 256 to `most`.
std::size_t whole_k(std::size_t k, std::size_t most) { return std::clamp(k / 64 * 64, std::size_t{256}, most); }

}  // namespace

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = detect();
  return sizes;
}

std::size_t streamed_k(std::size_t element) { return whole_k(cache_sizes().l2 / 2 / (kBlockColumns * element), 2048); }

std::size_t converted_k(std::size_t rows) {
  return whole_k(cache_sizes().l2 / 2 / (rows * sizeof(float)), GemmContext::kWidenK);
}

std::size_t task_share(std::size_t blocks, std::size_t most, std::size_t other_tasks, int threads) {
  if (threads == 1) return most;
  const std::size_t wanted = 4 * static_cast<std::size_t>(threads);  // so that the last ones to end wait little
  return std::clamp(blocks * other_tasks / wanted, std::size_t{1}, most);
}

int threads_for(double multiply_adds, int threads) {
  // Measured: two threads begin to win at about a microsecond of work.
  constexpr double kWorthWaking = 200e3;
  return multiply_adds < kWorthWaking ? 1 : threads;
}

}  // namespace halfstep
