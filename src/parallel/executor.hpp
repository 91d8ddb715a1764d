// The one seam between halfstep and threads: everything parallel is a run of numbered tasks.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/function_ref.hpp"

namespace halfstep::internal {

// A task of a run: its number and the worker that runs it.
using TaskRef = FunctionRef<void(std::size_t task, int worker)>;

// What a thread calls around its tasks of one run: `enter` before the first that it takes, `leave` after the last, also
// where a task throws; a thread that takes none calls neither. Both are set or both null, and neither throws. A run
// inside a task of a run with the same hooks calls nothing; with others it leaves those first, and enters them again at
// its end.
struct WorkerHooks {
  void (*enter)() = nullptr;
  void (*leave)() = nullptr;
  bool operator==(const WorkerHooks&) const = default;
};

class Executor {
 public:
  virtual ~Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // How many tasks run at a time, the caller's thread included: fewer than were asked for where the system gives no
  // more threads.
  int threads() const { return threads_; }
  bool short_of_threads() const { return short_of_threads_; }

  // Runs body(task, worker) for every task below `tasks` and returns when all have ended. `worker` is below threads()
  // and differs among tasks that run at the same time: index scratch memory with it. Which worker takes which task is
  // not fixed, so results must not depend on it. The first exception of a body is rethrown once every running task has
  // ended; tasks not yet started are then dropped. Every body runs under FpEnvGuard.
  // One task or one thread runs on the calling thread, and so does a run inside a body of the same executor (with that
  // body's worker). Callers from several threads take turns. `most_threads` of 1 keeps work that is shorter than waking
  // a thread on this one; any other number is all of them.
  void run(std::size_t tasks, TaskRef body, int most_threads = 0, const WorkerHooks& hooks = {});

  // While it lives, runs of this executor stay on the thread that calls, if `alone`. For an executor that no other
  // thread calls meanwhile.
  class Alone {
   public:
    Alone(Executor& executor, bool alone) : executor_(executor), before_(executor.alone_) { executor.alone_ = alone; }
    ~Alone() { executor_.alone_ = before_; }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

   private:
    Executor& executor_;
    bool before_;
  };

 protected:
  explicit Executor(int threads) : threads_(threads) {}
  // While it is being built: the system gives no more than these.
  void refuse_more_than(int threads) {
    threads_ = threads;
    short_of_threads_ = true;
  }

  // As run, with at least two tasks, two threads, and never two calls at once.
  virtual void run_parallel(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks) = 0;

 private:
  void run_inline(std::size_t tasks, int worker, TaskRef body, const WorkerHooks& hooks) const;

  int threads_;
  bool short_of_threads_ = false;
  bool alone_ = false;
  std::mutex turn_;
};

// Back ends: "tbb" and "host" (where oneTBB was built in), "threads", "serial"; "" is the default of the build.
// `threads` of at least 1; TBB runs no more than its current limit (see ParallelLimit). Every thread is started here,
// so that a run needs nothing of the system; but "host" has none of its own: it runs in the oneTBB arena that its
// caller is in, and has no more threads than the arena that it is made in. Throws Error(unsupported).
std::unique_ptr<Executor> make_executor(int threads, std::string_view back_end = "");

// Default back end with its version, such as "oneTBB 2021.8".
const char* parallel_back_end();

// Raises the process-wide limit of oneTBB while it lives; nothing with other back ends. For a process that owns its
// threads (the command line, tests) and was asked for more than there are cores: a library must not touch the limit.
class ParallelLimit {
 public:
  explicit ParallelLimit(int threads);
  ~ParallelLimit();
  ParallelLimit(const ParallelLimit&) = delete;
  ParallelLimit& operator=(const ParallelLimit&) = delete;

 private:
  struct Hold;
  std::unique_ptr<Hold> hold_;
};

}  // namespace halfstep::internal
