// What the memory of a run is for.
#pragma once
#include <cstdint>
#include <string>

namespace halfstep {

// One use of memory, and how much it takes.
struct MemoryPart {
  std::string what;  // "master weights"
  std::int64_t bytes = 0;
};

}  // namespace halfstep
