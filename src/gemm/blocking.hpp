// How a product is cut for caches and threads. None of it changes a bit of the result: sums run over k in order
// whatever the blocks, and a task owns the elements it writes.
#pragma once
#include <cstddef>

namespace halfstep {

// Bytes of the caches of one core; what the system does not tell is taken as 32 KiB and 512 KiB.
struct CacheSizes {
  std::size_t l1 = std::size_t{32} << 10;
  std::size_t l2 = std::size_t{512} << 10;
};
const CacheSizes& cache_sizes();

// Most k of a block where the left operand is read in place: 64 columns of the right one stay in half of L2 while the
// rows pass by.
std::size_t streamed_k(std::size_t element);

// Most k of a block where `rows` of the left operand are converted to fp32 first: they take half of L2.
std::size_t converted_k(std::size_t rows);

// Columns or strips of a task, in blocks: `most` where that leaves every thread several tasks, fewer where not.
std::size_t task_share(std::size_t blocks, std::size_t most, std::size_t other_tasks, int threads);

// 1 where so few multiply-adds take less time than waking a thread, else all of them.
int threads_for(double multiply_adds, int threads);

}  // namespace halfstep
