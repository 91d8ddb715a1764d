#include "gemm/blocking.hpp"

#include <algorithm>

#include "gemm/layout.hpp"
#include "gemm/scratch.hpp"

#if defined(__linux__)
#include <unistd.h>
#endif

namespace halfstep::internal {
namespace {

CacheSizes detect() {
  CacheSizes sizes;
#if defined(__linux__) && defined(_SC_LEVEL2_CACHE_SIZE)
  if (const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE); l1 > 0) sizes.l1 = static_cast<std::size_t>(l1);
  if (const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE); l2 > 0) sizes.l2 = static_cast<std::size_t>(l2);
#endif
  return sizes;
}

// As few blocks of at most `most` as k needs (never less than 256 or more than 2048), of like size.
std::size_t like_blocks(std::size_t k, std::size_t step, std::size_t most) {
  most = std::clamp<std::size_t>(most, 256, 2048);
  const std::size_t blocks = (k + most - 1) / most;
  return round_up((k + blocks - 1) / blocks, step);
}

}  // namespace

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = detect();
  return sizes;
}

std::size_t streamed_k(const CacheSizes& caches, std::size_t k, std::size_t step, std::size_t element) {
  constexpr std::size_t kMostBytes = std::size_t{256} << 10;  // more was slower however large L2 is (fp32, k 2048)
  return like_blocks(k, step, std::min(caches.l2 * 2 / 5, kMostBytes) / (kBlockColumns * element));
}

std::size_t converted_k(const CacheSizes& caches, std::size_t k, std::size_t step, std::size_t rows) {
  return like_blocks(k, step, std::min(caches.l2 / 2 / (rows * sizeof(float)), Scratch::kMostConverted));
}

bool keeps_converted(const CacheSizes& caches, std::size_t k, std::size_t k_block, std::size_t rows) {
  const std::size_t floats = rows * (round_up(k, kLanes) + (k + k_block - 1) / k_block * kLanes);
  return k <= k_block || floats <= std::min(caches.l2 * 5 / 8 / sizeof(float), Scratch::kLhsFloats);
}

std::size_t narrow_k(std::size_t k, std::size_t step) { return like_blocks(k, step, 256); }

std::size_t most_task_rows(const CacheSizes& caches, std::size_t k) {
  const std::size_t rows = caches.l2 / 2 / (k * sizeof(float));
  return std::clamp(rows / kSumRows * kSumRows, kSumRows, Scratch::kTaskRows);
}

double work_of(std::size_t rows, std::size_t columns, std::size_t k) {
  constexpr std::size_t kFinish = 12;  // stored, read again, rounded, stored
  return static_cast<double>(rows * pad_columns(columns)) * static_cast<double>(k + kFinish);
}

std::size_t tasks_wanted(double work, int threads) {
  if (threads == 1) return 1;
  constexpr double kShortest = 100e3;  // beside what taking a task costs
  return std::clamp(static_cast<std::size_t>(work / kShortest), static_cast<std::size_t>(threads),
                    4 * static_cast<std::size_t>(threads));
}

std::size_t task_share(std::size_t blocks, std::size_t most, std::size_t other_tasks, std::size_t wanted) {
  const std::size_t share = std::clamp(blocks * other_tasks / wanted, std::size_t{1}, most);
  const std::size_t tasks = (blocks + share - 1) / share;
  return (blocks + tasks - 1) / tasks;  // of like size
}

int threads_for(double work, int threads) {
  // Measured: two threads begin to win at about a microsecond of work.
  constexpr double kWorthWaking = 200e3;
  return work < kWorthWaking ? 1 : threads;
}

}  // namespace halfstep::internal
