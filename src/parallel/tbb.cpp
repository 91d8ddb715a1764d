// The only file that knows oneTBB.
#if HS_HAVE_TBB
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "parallel/back_ends.hpp"
#include "parallel/board.hpp"
#include "parallel/spin.hpp"

namespace halfstep {
namespace {

// An arena wider than the current limit would print a warning on the host's stderr and still not be wider.
int within_limit(int threads) {
  const std::size_t limit = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  return static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), std::max<std::size_t>(limit, 1)));
}

// Workers join a run when they come and stay near for a while after it: the runs of a training step follow each other
// within microseconds, and a parallel_for would pay two for each (0.3 so). The caller never enters the scheduler, so it
// cannot pick up a task of the host's under our locks, and it never waits for a worker that has not come.
class TbbExecutor final : public Executor {
 public:
  explicit TbbExecutor(int threads)
      : Executor(threads), arena_(std::max(threads - 1, 1), 0), team_(std::make_shared<Team>(*this, threads)) {}

  ~TbbExecutor() override {
    team_->stopping.store(true);
    team_->board.begin(0, {});  // news for whoever waits
    yield_until([this] { return team_->near.load() == 0; });
    if (team_.use_count() > 1) await_the_late(std::move(team_));
  }

 private:
  // Outlives the executor for those workers that were called and come too late.
  struct Team {
    Team(const Executor& executor, int threads) : board(executor, threads), places(static_cast<std::size_t>(threads)) {}
    Board board;
    alignas(kCacheLine) std::atomic<int> called = 0;  // workers near or on their way
    std::atomic<int> near = 0;                        // workers that have come
    std::atomic<bool> stopping = false;
    std::vector<std::atomic<bool>> places;  // taken[i]: somebody is worker i; 0 is the caller

    // Counts one more worker as called, if fewer than `most` are.
    bool enlist(int most) {
      for (int now = called.load(); now < most;) {
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
    void leave_place(int worker) { places[static_cast<std::size_t>(worker)].store(false); }
  };

  // A call that nobody has answered when the process ends holds its team in memory of TBB's, where no leak checker
  // looks: such teams stay reachable from here.
  static void await_the_late(std::shared_ptr<Team> team) {
    static std::mutex mutex;
    static auto& teams = *new std::vector<std::shared_ptr<Team>>;
    const std::lock_guard lock(mutex);
    std::erase_if(teams, [](const std::shared_ptr<Team>& t) { return t.use_count() == 1; });
    teams.push_back(std::move(team));
  }

  void run_parallel(std::uint32_t tasks, TaskRef body) override {
    team_->board.begin(tasks, body);
    call_workers(static_cast<int>(std::min(tasks, static_cast<std::uint32_t>(threads()))) - 1);
    team_->board.work_as_caller();
    team_->board.finish();
  }

  // Fewer workers than wanted only cost speed: the caller takes the tasks that nobody else takes.
  void call_workers(int wanted) noexcept {
    while (team_->enlist(wanted)) {
      try {
        arena_.enqueue([team = team_] { attend(*team); });
      } catch (...) {
        team_->called.fetch_sub(1);
        return;
      }
    }
  }

  // What a worker does: joins each run until none has come for a while.
  static void attend(Team& team) {
    team.near.fetch_add(1);
    Board::Notice seen = 0;
    const auto news = [&] { return team.board.notice() != seen; };
    do {
      const int worker = team.take_place();
      while (spin_until(news) && !team.stopping.load()) {
        seen = team.board.notice();
        team.board.work(worker, seen);
      }
      team.leave_place(worker);
      team.called.fetch_sub(1);
      // A run that began just now has counted on this worker.
    } while (news() && !team.stopping.load() && team.enlist(static_cast<int>(team.places.size()) - 1));
    team.near.fetch_sub(1);
  }

  tbb::task_arena arena_;
  std::shared_ptr<Team> team_;
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
