// A plain pool of std::threads: for builds without oneTBB and for ThreadSanitizer.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "parallel/back_ends.hpp"
#include "parallel/spin.hpp"

namespace halfstep {
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
  explicit ThreadPool(int threads) : Executor(threads) {
    try {
      for (int worker = 1; worker < threads; ++worker) helpers_.emplace_back([this, worker] { help(worker); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~ThreadPool() override { stop(); }

 private:
  void run_parallel(std::size_t, TaskRef body) override {
    body_ = body;
    error_ = nullptr;
    working_.store(threads() - 1, std::memory_order_relaxed);
    announce();
    work(0);
    wait_until(mutex_, idle_, [this] { return working_.load(std::memory_order_acquire) == 0; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  // Starts a new round; what was written before is seen by every helper.
  void announce() {
    {
      const std::lock_guard lock(mutex_);
      round_.fetch_add(1, std::memory_order_release);
    }
    start_.notify_all();
  }

  void help(int worker) {
    for (std::uint64_t seen = 0;;) {
      wait_until(mutex_, start_, [&] { return round_.load(std::memory_order_acquire) != seen; });
      ++seen;
      if (stopping_.load(std::memory_order_relaxed)) return;
      work(worker);
      if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard lock(mutex_);
        idle_.notify_one();
      }
    }
  }

  void work(int worker) {
    try {
      drain(worker, *body_);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    announce();
    for (std::thread& helper : helpers_) helper.join();
  }

  std::mutex mutex_;
  std::condition_variable start_, idle_;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<int> working_{0};
  std::atomic<bool> stopping_{false};
  std::optional<TaskRef> body_;
  std::exception_ptr error_;  // under mutex_
  std::vector<std::thread> helpers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_pool(int threads) { return std::make_unique<ThreadPool>(threads); }

}  // namespace halfstep
