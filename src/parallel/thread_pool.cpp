// A plain pool of std::threads: for builds without oneTBB, for ThreadSanitizer, and where the system gives so few
// threads that oneTBB would fail.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "parallel/back_ends.hpp"
#include "parallel/board.hpp"
#include "parallel/spin.hpp"

namespace halfstep::internal {
namespace {

// Waits until `done()`, first spinning, then on `changed`.
template <class F>
void wait_until(std::mutex& mutex, std::condition_variable& changed, F done) {
  if (spin_until(done)) return;
  std::unique_lock lock(mutex);
  changed.wait(lock, done);
}

class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(int threads) : Executor(threads), board_(*this, threads) {
    helpers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int worker = 1; worker < threads; ++worker) helpers_.emplace_back([this, worker] { help(worker); });
    } catch (const std::system_error&) {
      // The system gives no more. Shares of workers that are not there are taken by the others.
      refuse_more_than(static_cast<int>(helpers_.size()) + 1);
    } catch (...) {
      stop();
      throw;
    }
  }
  ~ThreadPool() override { stop(); }

 private:
  void run_parallel(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks) override {
    announce(tasks, body, hooks);
    board_.work_as_caller();
    board_.finish();
  }

  void announce(std::uint32_t tasks, TaskRef body, const WorkerHooks& hooks) {
    {
      const std::lock_guard lock(mutex_);
      board_.begin(tasks, body, hooks);
    }
    start_.notify_all();
  }

  void help(int worker) {
    for (Board::Notice seen = 0; !stopping_.load(std::memory_order_relaxed);) {
      wait_until(mutex_, start_, [&] { return board_.notice() != seen; });
      seen = board_.notice();
      board_.work(worker, seen);
    }
  }

  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    announce(0, {}, {});
    for (std::thread& helper : helpers_) helper.join();
  }

  Board board_;
  std::mutex mutex_;
  std::condition_variable start_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> helpers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_pool(int threads) { return std::make_unique<ThreadPool>(threads); }

}  // namespace halfstep::internal
