// The run under way: where workers hear of it, and how they share its tasks.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

#include "base/arena.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

// Runs follow each other within microseconds, and a cache line takes a tenth of one from core to core. So one line
// tells a worker of a run, its share of the tasks stays with it unless somebody comes to help, and one line comes back.
// A worker that comes late finds nothing left to take and touches nothing of the run.
class Board {
 public:
  // `runs` before the first, for the tests: their number wraps around after hours.
  Board(const Executor& executor, int workers, std::uint32_t runs = 0);

  // A run as a worker sees it: 32 bits of its number, then its tasks.
  using Notice = std::uint64_t;
  Notice notice() const { return notice_.load(std::memory_order_acquire); }

  // The caller, worker 0, one at a time: begins a run (of no tasks: a notice and no more), works on it, and waits for
  // what others have taken. `finish` rethrows the first exception of a body.
  void begin(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks = {});
  void work_as_caller() { work(0, notice_.load(std::memory_order_relaxed), 1); }
  void finish();

  // Any other: runs tasks of the run that it has seen until none is left. First those of its own share, the same from
  // run to run, so that what it wrote is still in its cache; then what others have left, so that a core that is busy
  // elsewhere costs its share and no more.
  void work(int worker, Notice notice) { work(worker, notice, 0); }

 private:
  // Number of a run and a count: what is of an older run counts as 0.
  struct alignas(kCacheLine) Counter {
    std::atomic<std::uint64_t> value = 0;
  };
  class Taker;

  void work(int worker, Notice notice, std::uint32_t taken);

  alignas(kCacheLine) std::atomic<Notice> notice_;
  TaskRef body_;              // of a run that still has a task to end
  WorkerHooks hooks_;         // likewise
  const Executor& executor_;  // likewise
  alignas(kCacheLine) std::mutex mutex_;
  std::exception_ptr error_;     // under it
  std::vector<Counter> shares_;  // tasks taken of each share
  std::vector<Counter> done_;    // tasks that each worker has taken and ended
};

}  // namespace halfstep::internal
