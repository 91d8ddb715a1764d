// Work that waits for memory, done between the tiles of a product, which wait for arithmetic: while they multiply, they
// prefetch what the next piece of it reads.
#pragma once
#include <cstddef>

#include "base/function_ref.hpp"
#include "base/memory_range.hpp"

namespace halfstep::internal {

// Each task runs once, on any thread, before the product ends. `reads` fills in what a task will read.
struct SideTasks {
  std::size_t count = 0;
  FunctionRef<void(std::size_t task)> run = {};
  FunctionRef<void(std::size_t task, MemoryRanges&)> reads = {};
};

// What one task of a product does of them: an even share, spread over its tiles.
class SideShare {
 public:
  // For task `task` of `of` tasks with about `tiles` tiles each.
  SideShare(const SideTasks& side, std::size_t task, std::size_t of, std::size_t tiles)
      : side_(side),
        next_(side.count * task / of),
        end_(side.count * (task + 1) / of),
        count_(end_ - next_),
        tiles_(tiles) {
    look_ahead();
  }
  SideShare(const SideShare&) = delete;
  SideShare& operator=(const SideShare&) = delete;

  // From where a tile that can prefetch so many bytes should: null where nothing is left to prefetch.
  const std::byte* ahead(std::size_t bytes) {
    while (range_ < ranges_.size() && prefetched_ >= ranges_[range_].bytes) ++range_, prefetched_ = 0;
    if (range_ == ranges_.size()) return nullptr;
    const std::byte* from = static_cast<const std::byte*>(ranges_[range_].data) + prefetched_;
    prefetched_ += bytes;
    return from;
  }
  void tile_ended() {
    ++ended_;
    while (next_ < end_ && (count_ - (end_ - next_) + 1) * tiles_ <= ended_ * count_) run_next();
  }
  // Runs what is left, where there were fewer tiles.
  void finish() {
    while (next_ < end_) run_next();
  }

 private:
  void look_ahead() {
    range_ = next_ < end_ ? 0 : ranges_.size();
    prefetched_ = 0;
    if (next_ < end_) side_.reads(next_, ranges_);
  }
  void run_next() {
    side_.run(next_++);
    look_ahead();
  }

  const SideTasks& side_;
  std::size_t next_, end_, count_, tiles_, ended_ = 0;
  MemoryRanges ranges_;
  std::size_t range_ = 0, prefetched_ = 0;  // of ranges_, the next to prefetch
};

}  // namespace halfstep::internal
