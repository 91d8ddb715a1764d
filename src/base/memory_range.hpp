// Memory that somebody is about to read, for who can fetch it meanwhile.
#pragma once
#include <array>
#include <cstddef>

namespace halfstep::internal {

struct MemoryRange {
  const void* data = nullptr;
  std::size_t bytes = 0;
};
using MemoryRanges = std::array<MemoryRange, 6>;  // unused ones are empty

}  // namespace halfstep::internal
