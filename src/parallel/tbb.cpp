// The only file that knows oneTBB.
#if HS_HAVE_TBB
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#include <tbb/version.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "parallel/back_ends.hpp"
#include "parallel/board.hpp"
#include "parallel/keep_loaded.hpp"
#include "parallel/spin.hpp"
#include "parallel/worker_scope.hpp"

namespace halfstep::internal {
namespace {

// An arena wider than the current limit would print a warning on the host's stderr and still not be wider.
int within_limit(int threads) {
  const std::size_t limit = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  return static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), std::max<std::size_t>(limit, 1)));
}

// Workers join a run when they come and stay near for a while after it: the runs of a training step follow each other
// within microseconds, and a parallel_for would pay two for each (0.3 so). The caller never enters the scheduler, so it
// cannot pick up a task of the host's under our locks, and a run never waits for a worker that has not come.
//
// A thread that oneTBB cannot start ends the process where one of its own threads was to start it, as happens when an
// arena asks for several. So each worker has an arena, and all are started with the executor, one by one: only this
// thread can fail then.
class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(int threads) : Executor(threads), team_(std::make_shared<Team>(*this, threads)) {
    for (int worker = 1; worker < threads; ++worker) arenas_.emplace_back(1, 0);
    try {
      for (int worker = 1; worker < threads; ++worker) start(worker);
    } catch (...) {
      retire();
      throw;
    }
    team_->started.store(true);
  }
  ~TbbExecutor() override { retire(); }

 private:
  // Outlives the executor for those workers that were called and come too late.
  struct Team {
    Team(const Executor& executor, int threads) : board(executor, threads), places(static_cast<std::size_t>(threads)) {}
    Board board;
    alignas(kCacheLine) std::atomic<int> called = 0;  // workers near or on their way
    std::atomic<int> near = 0;                        // workers that have come
    std::atomic<bool> started = false;                // all of them have come once, or one never will
    std::atomic<bool> stopping = false;
    std::vector<std::atomic<bool>> places;  // [i]: worker i has been called; 0 is the caller

    int most() const { return static_cast<int>(places.size()) - 1; }
    // Counts one more worker as called, if fewer than `wanted` are.
    bool enlist(int wanted) {
      for (int now = called.load(); now < wanted;) {
        if (called.compare_exchange_weak(now, now + 1)) return true;
      }
      return false;
    }
    // There is a place for everybody who is called; whoever has just left may not have freed it yet.
    int take_place() {
      for (std::size_t i = 1;; i = i + 1 < places.size() ? i + 1 : 1) {
        if (!places[i].exchange(true)) return static_cast<int>(i);
      }
    }
    void leave(int worker) {
      places[static_cast<std::size_t>(worker)].store(false);
      called.fetch_sub(1);
    }
    bool come_back(int worker) {
      if (!enlist(most())) return false;
      if (!places[static_cast<std::size_t>(worker)].exchange(true)) return true;
      called.fetch_sub(1);  // called again meanwhile
      return false;
    }
  };

  // Those before it stay until all have come, so that oneTBB cannot send one of them. It waits for a thread to start,
  // but not for workers that the host keeps busy: theirs exist.
  void start(int worker) {
    arena(worker).enqueue([team = team_] {
      team->near.fetch_add(1);
      yield_until([&] { return team->started.load(); });
      team->near.fetch_sub(1);
    });
    const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    yield_until([&] { return team_->near.load() >= worker || std::chrono::steady_clock::now() > patience; });
  }

  void retire() {
    team_->started.store(true);
    team_->stopping.store(true);
    team_->board.begin(0, {});  // news for whoever waits
    yield_until([this] { return team_->near.load() == 0; });
    if (team_.use_count() > 1) await_the_late(std::move(team_));
  }

  // A call that nobody has answered when the process ends holds its team in memory of TBB's, where no leak checker
  // looks: such teams stay reachable from here.
  static void await_the_late(std::shared_ptr<Team> team) {
    static std::mutex mutex;
    static auto& teams = *new std::vector<std::shared_ptr<Team>>;
    const std::lock_guard lock(mutex);
    std::erase_if(teams, [](const std::shared_ptr<Team>& t) { return t.use_count() == 1; });
    teams.push_back(std::move(team));
  }

  void run_parallel(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks) override {
    team_->board.begin(tasks, body, hooks);
    call_workers(static_cast<int>(std::min(tasks, static_cast<std::uint32_t>(threads()))) - 1);
    team_->board.work_as_caller();
    team_->board.finish();
  }

  // Fewer workers than wanted only cost speed: the caller takes the tasks that nobody else takes.
  void call_workers(int wanted) noexcept {
    while (team_->enlist(wanted)) {
      const int worker = team_->take_place();
      try {
        arena(worker).enqueue([team = team_, worker] { attend(*team, worker); });
      } catch (...) {
        return team_->leave(worker);
      }
    }
  }

  // What a worker does: joins each run until none has come for a while.
  static void attend(Team& team, int worker) {
    team.near.fetch_add(1);
    Board::Notice seen = 0;
    const auto news = [&] { return team.board.notice() != seen; };
    do {
      while (spin_until(news) && !team.stopping.load()) {
        seen = team.board.notice();
        team.board.work(worker, seen);
      }
      team.leave(worker);
      // A run that began just now has counted on this worker.
    } while (news() && !team.stopping.load() && team.come_back(worker));
    team.near.fetch_sub(1);
  }

  tbb::task_arena& arena(int worker) { return arenas_[static_cast<std::size_t>(worker - 1)]; }

  std::deque<tbb::task_arena> arenas_;  // of each worker
  std::shared_ptr<Team> team_;
};

// Works as a part of the host: in the arena that the calling thread is in, on the threads that it has to spare there.
// Isolated, so that the caller takes no task of the host's while it waits under our locks.
class HostExecutor final : public Executor {
 public:
  explicit HostExecutor(int threads) : Executor(threads) {}

 private:
  void run_parallel(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks) override {
    std::atomic<std::uint32_t> next = 0;
    const auto work = [&](int worker) {
      std::uint32_t task = next.fetch_add(1);
      if (task >= tasks) return;
      const WorkerScope scope(this, worker, hooks);
      try {
        for (; task < tasks; task = next.fetch_add(1)) body(task, worker);
      } catch (...) {
        next.store(tasks);
        throw;
      }
    };
    const int workers = static_cast<int>(std::min(tasks, static_cast<std::uint32_t>(threads())));
    tbb::this_task_arena::isolate([&] {
      tbb::task_group others;
      for (int worker = 1; worker < workers; ++worker) others.run([&work, worker] { work(worker); });
      std::exception_ptr own;
      try {
        work(0);
      } catch (...) {
        own = std::current_exception();
      }
      others.wait();  // rethrows theirs
      if (own) std::rethrow_exception(own);
    });
  }
};

}  // namespace

std::unique_ptr<Executor> make_host_executor(int threads) {
  keep_loaded();
  return std::make_unique<HostExecutor>(std::min(threads, tbb::this_task_arena::max_concurrency()));
}

// A thread that cannot be started leaves oneTBB in a state that it does not mend, so others are tried first. Where the
// system gives fewer of them, those are the executor.
std::unique_ptr<Executor> make_tbb_executor(int threads) {
  threads = within_limit(threads);
  auto pool = make_thread_pool(threads);
  if (threads == 1 || pool->threads() < threads) return pool;
  pool.reset();
  keep_loaded();
  try {
    return std::make_unique<TbbExecutor>(threads);
  } catch (const std::runtime_error&) {
    return make_thread_pool(threads);  // the last of them went to somebody else
  }
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
// oneTBB counts the CPUs once, and waits for ever for a count that ran out of memory. The end of a limit asks for it,
// so the count must be there before one begins.
ParallelLimit::ParallelLimit(int threads) {
  (void)tbb::info::default_concurrency();
  hold_ = std::make_unique<Hold>(threads);
}
ParallelLimit::~ParallelLimit() = default;

}  // namespace halfstep::internal
#endif
