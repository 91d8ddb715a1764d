// How a file is read, whatever it is taken as.
#pragma once
#include <cstddef>
#include <string>

namespace halfstep::internal {
class Executor;
}

namespace halfstep::internal::data {

// Whether a table goes by way of a file on a disk, because it is too large for memory.
struct Cache {
  enum class When { never, if_needed, always };
  When when = When::never;
  std::string folder = {};
  std::size_t window_bytes = std::size_t{1} << 24;  // about so much text is in memory at a time
  std::size_t block_rows = std::size_t{1} << 16;    // so many rows are made ready at a time
};

struct ReadHow {
  Executor* executor = nullptr;                    // null: on the thread that calls
  std::size_t piece_bytes = std::size_t{1} << 20;  // about so much text is a task
  Cache cache = {};
};

}  // namespace halfstep::internal::data
