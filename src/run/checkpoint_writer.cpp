#include "run/checkpoint_writer.hpp"

#include <chrono>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

// Threads that begin while it lives leave signals to others: handlers of a host run where it expects them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    blocked_ = ::pthread_sigmask(SIG_BLOCK, &all, &before_) == 0;
  }
  ~SignalsBlocked() {
    if (blocked_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
  bool blocked_;
};

// Short enough to need no memory.
constexpr const char* kOutOfMemory = "out of memory";

std::string words(const char* text) noexcept {
  try {
    return text;
  } catch (...) {
    return kOutOfMemory;
  }
}

constexpr std::size_t kMostOutcomes = 8;  // nobody lets more of them wait

}  // namespace

CheckpointWriter::CheckpointWriter(const CheckpointFolder& folder) : folder_(folder) {
  outcomes_.reserve(kMostOutcomes);
}

CheckpointWriter::~CheckpointWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(turn_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool CheckpointWriter::busy() const {
  const std::lock_guard lock(turn_);
  return writing_;
}

void CheckpointWriter::begin(Job job) {
  if (!thread_.joinable()) {
    try {
      const SignalsBlocked signals;
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {
      return write(job);
    }
  }
  wait();
  {
    const std::lock_guard lock(turn_);
    next_ = std::move(job);
    writing_ = true;
  }
  changed_.notify_all();
}

void CheckpointWriter::wait() {
  std::unique_lock lock(turn_);
  changed_.wait(lock, [&] { return !writing_; });
}

void CheckpointWriter::work() {
  std::unique_lock lock(turn_);
  while (true) {
    changed_.wait(lock, [&] { return next_ || ends_; });
    if (!next_) return;
    const Job job = std::move(*next_);
    next_.reset();
    lock.unlock();
    write(job);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

void CheckpointWriter::write(const Job& job) noexcept {
  using Time = std::chrono::steady_clock;
  const auto start = Time::now();
  Outcome outcome;
  outcome.step = job.checkpoint.attempted;
  bool saved = false;  // whatever becomes of the best model
  try {
    outcome.bytes = save_checkpoint(folder_.path_of(outcome.step), job.checkpoint);
    saved = true;
    folder_.saved(outcome.step);
    if (job.best) save_model(folder_.best_path(), *job.best);
  } catch (const std::bad_alloc&) {
    outcome.failure = outcome.why = kOutOfMemory;
  } catch (const Error& error) {
    outcome.failure = words(error.what());
    outcome.where = words(error.parts().where.c_str());
    outcome.why = words(error.parts().why.c_str());
  } catch (const std::exception& error) {
    outcome.failure = words(error.what());
    outcome.why = words(error.what());
  }
  outcome.seconds = std::chrono::duration<double>(Time::now() - start).count();
  const std::lock_guard lock(turn_);
  if (saved) last_saved_ = outcome.step;
  if (outcomes_.size() < kMostOutcomes) outcomes_.push_back(std::move(outcome));
}

std::vector<CheckpointWriter::Outcome> CheckpointWriter::take_outcomes() {
  const std::lock_guard lock(turn_);
  std::vector<Outcome> taken;
  if (outcomes_.empty()) return taken;
  taken.reserve(kMostOutcomes);
  std::swap(taken, outcomes_);
  outcomes_.reserve(kMostOutcomes);
  return taken;
}

std::optional<std::int64_t> CheckpointWriter::last_saved() const {
  const std::lock_guard lock(turn_);
  return last_saved_;
}

}  // namespace halfstep::internal
