// How a product is cut for caches and threads. None of it changes a bit of the result: sums run over k in order
// whatever the blocks, and a task owns the elements it writes.
#pragma once
#include <cstddef>

namespace halfstep::internal {

// Bytes of the caches of one core; what the system does not tell is taken as 32 KiB and 512 KiB.
struct CacheSizes {
  std::size_t l1 = std::size_t{32} << 10;
  std::size_t l2 = std::size_t{512} << 10;
};
const CacheSizes& cache_sizes();

// The functions for blocks of k return blocks of like size, multiples of `step`; the last may be shorter.

// k of a block where the left operand is read in place: 64 columns of the right one stay in less than half of L2 while
// the rows pass by.
std::size_t streamed_k(const CacheSizes&, std::size_t k, std::size_t step, std::size_t element);

// k of a block where `rows` of the left operand are converted to fp32 first: they take half of L2.
std::size_t converted_k(const CacheSizes&, std::size_t k, std::size_t step, std::size_t rows);

// Whether so many converted rows can stay with all their k, in such blocks, while the right operand passes by.
bool keeps_converted(const CacheSizes&, std::size_t k, std::size_t k_block, std::size_t rows);

// k of a block where one block of columns is all there is: what one tile reads, converted, stays in L1.
std::size_t narrow_k(std::size_t k, std::size_t step);

// Most rows of a task: as many chunks of sums as stay in half of L2 as fp32, one at least.
std::size_t most_task_rows(const CacheSizes&, std::size_t k);

// How long a product of rows x columns sums of k takes, in multiply-adds: what is done to each sum counts as some.
double work_of(std::size_t rows, std::size_t columns, std::size_t k);

// Tasks of so much work: several for each thread, so that the last ones to end wait little, but none too short.
std::size_t tasks_wanted(double work, int threads);

// Columns or strips of a task, in blocks: `most` where that leaves `wanted` tasks, fewer where not.
std::size_t task_share(std::size_t blocks, std::size_t most, std::size_t other_tasks, std::size_t wanted);

// 1 where so little work takes less time than waking a thread, else all of them.
int threads_for(double work, int threads);

}  // namespace halfstep::internal
