// The only file that knows oneTBB.
#if HS_HAVE_TBB
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>

#include <algorithm>
#include <atomic>

#include "parallel/back_ends.hpp"

namespace halfstep {
namespace {

// An arena wider than the current limit would print a warning on the host's stderr and still not be wider.
int within_limit(int threads) {
  const std::size_t limit = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  return static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), std::max<std::size_t>(limit, 1)));
}

class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(int threads) : Executor(threads), arena_(threads) {}

 private:
  // Isolated: while it waits, this thread must not pick up a task of the host's and run it under our locks.
  void run_parallel(std::size_t tasks, TaskRef body) override {
    std::atomic<std::size_t> next = 0;
    const std::size_t workers = std::min(tasks, static_cast<std::size_t>(threads()));
    arena_.execute([&] {
      tbb::this_task_arena::isolate([&] {
        tbb::parallel_for(
            tbb::blocked_range<std::size_t>(0, workers, 1),
            [&](const tbb::blocked_range<std::size_t>&) {
              drain(next, tasks, tbb::this_task_arena::current_thread_index(), body);
            },
            tbb::simple_partitioner());
      });
    });
  }

  tbb::task_arena arena_;
};

}  // namespace

std::unique_ptr<Executor> make_tbb_executor(int threads) {
  return std::make_unique<TbbExecutor>(within_limit(threads));
}

#define HS_TEXT_(x) #x
#define HS_TEXT(x) HS_TEXT_(x)
const char* parallel_back_end() { return "oneTBB " HS_TEXT(TBB_VERSION_MAJOR) "." HS_TEXT(TBB_VERSION_MINOR); }
#undef HS_TEXT
#undef HS_TEXT_

struct ParallelLimit::Hold {
  explicit Hold(int threads)
      : control(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(std::max(threads, 1))) {}
  tbb::global_control control;
};
ParallelLimit::ParallelLimit(int threads) : hold_(std::make_unique<Hold>(threads)) {}
ParallelLimit::~ParallelLimit() = default;

}  // namespace halfstep
#endif
