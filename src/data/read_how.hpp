// How a file is read, whatever it is taken as.
#pragma once
#include <cstddef>

namespace halfstep::internal {
class Executor;
}

namespace halfstep::internal::data {

struct ReadHow {
  Executor* executor = nullptr;                    // null: on the thread that calls
  std::size_t piece_bytes = std::size_t{1} << 20;  // about so much text is a task
};

}  // namespace halfstep::internal::data
