// How much of a network may stay out of memory.
#pragma once
#include <cstddef>

namespace halfstep::internal {

// Bytes that `threads` cores can hold in their caches at most: a last-level cache for each, as far as there are so
// many, and their second-level caches, which need not be part of it. Infinity where the system does not tell.
double cache_bytes(int threads);

// A few times that, to measure memory with: a whole number of MiB.
std::size_t beyond_cache_bytes(int threads);

}  // namespace halfstep::internal
