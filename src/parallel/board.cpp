#include "parallel/board.hpp"

#include <algorithm>
#include <utility>

#include "parallel/spin.hpp"
#include "parallel/worker_scope.hpp"

namespace halfstep::internal {
namespace {

constexpr std::uint32_t run_of(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
constexpr std::uint32_t count_of(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint64_t pack(std::uint32_t run, std::uint32_t count) { return std::uint64_t{run} << 32 | count; }

}  // namespace

// Takes tasks of one run for one worker. No share of it is free again before the next run begins, and that is not
// before the last of its tasks has ended: whoever has taken one may rely on the run.
class Board::Taker {
 public:
  Taker(Board& board, int worker, Notice notice)
      : shares_(board.shares_),
        run_(run_of(notice)),
        workers_(static_cast<std::uint32_t>(shares_.size())),
        each_(count_of(notice) / workers_),
        one_more_(count_of(notice) % workers_),
        share_(static_cast<std::uint32_t>(worker)) {}

  struct Taken {
    std::size_t first;
    std::uint32_t count;
  };
  // The next task, or all that are left of a share; none when none is left.
  Taken take(bool all) {
    for (; looked_at_ < workers_; ++looked_at_, share_ = (share_ + 1) % workers_) {
      std::atomic<std::uint64_t>& share = shares_[share_].value;
      const std::uint32_t count = each_ + (share_ < one_more_ ? 1 : 0);
      std::uint64_t seen = share.load(std::memory_order_relaxed);
      for (;;) {
        const auto ahead = static_cast<std::int32_t>(run_of(seen) - run_);
        const std::uint32_t taken = ahead == 0 ? count_of(seen) : 0;
        if (ahead > 0 || taken >= count) break;
        const std::uint32_t next = all ? count : taken + 1;
        if (share.compare_exchange_weak(seen, pack(run_, next), std::memory_order_relaxed)) {
          return {std::size_t{share_} * each_ + std::min(share_, one_more_) + taken, next - taken};
        }
      }
    }
    return {0, 0};
  }

 private:
  std::vector<Counter>& shares_;
  std::uint32_t run_, workers_, each_, one_more_, share_, looked_at_ = 0;
};

Board::Board(const Executor& executor, int workers, std::uint32_t runs)
    : notice_(pack(runs, 0)),
      executor_(executor),
      shares_(static_cast<std::size_t>(workers)),
      done_(static_cast<std::size_t>(workers)) {}

void Board::begin(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks) {
  const std::uint32_t run = run_of(notice_.load(std::memory_order_relaxed)) + 1;
  body_ = body;
  hooks_ = hooks;
  // Runs of few tasks leave some counters as they were; none may grow so old that it looks newer than this run.
  if (run % (1u << 30) == 0) {
    for (auto* counters : {&shares_, &done_}) {
      for (Counter& counter : *counters) counter.value.store(pack(run, 0), std::memory_order_relaxed);
    }
  }
  // The caller's first task is taken before anybody else can, by a store that it need not wait for.
  shares_[0].value.store(pack(run, std::min(tasks, 1u)), std::memory_order_relaxed);
  notice_.store(pack(run, tasks), std::memory_order_release);
}

void Board::work(int worker, Notice notice, std::uint32_t taken) {
  Taker taker(*this, worker, notice);
  Taker::Taken task = taken > 0 ? Taker::Taken{0, taken} : taker.take(false);
  if (task.count == 0) return;
  std::uint32_t done = 0;
  try {
    const WorkerScope scope(&executor_, worker, hooks_);
    do {
      ++done;
      body_(task.first, worker);
      task = taker.take(false);
    } while (task.count > 0);
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    while ((task = taker.take(true)).count > 0) done += task.count;  // dropped
  }
  done_[static_cast<std::size_t>(worker)].value.store(pack(run_of(notice), done), std::memory_order_release);
}

void Board::finish() {
  const Notice notice = notice_.load(std::memory_order_relaxed);
  yield_until([&] {
    std::uint32_t done = 0;
    for (const Counter& counter : done_) {
      const std::uint64_t value = counter.value.load(std::memory_order_acquire);
      if (run_of(value) == run_of(notice)) done += count_of(value);
    }
    return done == count_of(notice);
  });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

}  // namespace halfstep::internal
