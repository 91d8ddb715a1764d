// The memory bandwidth of the machine, measured by plain loops that share nothing with the kernels.
#pragma once
#include <cstddef>
#include <span>

namespace halfstep::internal {

struct Bandwidth {
  double read = 0;    // GB/s
  double update = 0;  // GB/s, bytes read plus bytes written in place
};

// Each of `threads` threads of its own goes over its share of `memory` for about `seconds`, first reading, then
// writing back what it read.
Bandwidth measure_bandwidth(std::span<std::byte> memory, int threads, double seconds = 0.02);

// Copies what a plain loop over several streams can: the length of `from` in whole blocks of 256 bytes.
void copy_streams(std::span<const std::byte> from, std::byte* to);

}  // namespace halfstep::internal
