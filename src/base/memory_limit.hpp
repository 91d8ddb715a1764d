// How much memory this process can have.
#pragma once
#include <cstdint>
#include <limits>
#include <string>

#include "base/cgroup.hpp"

namespace halfstep::internal {

struct MemoryLimit {
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  std::string source;  // "physical memory"
};

// The smallest of physical memory, the limit of our control groups (v1 and v2), and that of the address space. Swap
// does not count: a step that touches all of its memory would wait for the disk.
MemoryLimit memory_limit(const CgroupPlaces& places = {});

}  // namespace halfstep::internal
