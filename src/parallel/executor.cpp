#include "parallel/executor.hpp"

#include <algorithm>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "parallel/back_ends.hpp"

namespace halfstep {
namespace {

// The body this thread is in. A nested run must stay on the thread: its worker's scratch memory is its own there.
struct Place {
  const Executor* executor = nullptr;
  int worker = 0;
};
thread_local Place t_place;

class PlaceGuard {
 public:
  explicit PlaceGuard(Place place) : before_(t_place) { t_place = place; }
  ~PlaceGuard() { t_place = before_; }

 private:
  Place before_;
};

}  // namespace

void Executor::run(std::size_t tasks, TaskRef body, int most_threads) {
  if (tasks == 0) return;
  if (t_place.executor == this) return run_inline(tasks, t_place.worker, body);
  const std::lock_guard lock(turn_);
  if (tasks == 1 || threads_ == 1 || most_threads == 1 || alone_) return run_inline(tasks, 0, body);
  deal(tasks);
  run_parallel(tasks, body);
}

void Executor::deal(std::size_t tasks) {
  const std::size_t each = tasks / shares_.size(), one_more = tasks % shares_.size();
  std::size_t begin = 0;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    shares_[i].next.store(begin, std::memory_order_relaxed);
    shares_[i].end = begin += each + (i < one_more ? 1 : 0);
  }
}

void Executor::drain(int worker, TaskRef body) {
  const FpEnvGuard fp_env;
  const PlaceGuard place({this, worker});
  const auto own = static_cast<std::size_t>(worker);
  try {
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      Share& share = shares_[(own + i) % shares_.size()];
      if (share.next.load(std::memory_order_relaxed) >= share.end) continue;
      for (std::size_t task; (task = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
        body(task, worker);
      }
    }
  } catch (...) {
    for (Share& share : shares_) share.next.store(share.end, std::memory_order_relaxed);
    throw;
  }
}

void Executor::run_inline(std::size_t tasks, int worker, TaskRef body) const {
  const FpEnvGuard fp_env;
  const PlaceGuard place({this, worker});
  for (std::size_t task = 0; task < tasks; ++task) body(task, worker);
}

std::unique_ptr<Executor> make_executor(int threads, std::string_view back_end) {
  using Make = std::unique_ptr<Executor> (*)(int);
  struct Entry {
    std::string_view name;
    Make make;
  };
  static constexpr Entry kBackEnds[] = {
#if HS_HAVE_TBB
    {"tbb", make_tbb_executor},
#endif
    {"threads", make_thread_pool},
    {"serial", make_serial_executor},
  };
  if (back_end.empty()) back_end = HS_PARALLEL_DEFAULT;
  for (const Entry& entry : kBackEnds) {
    if (entry.name == back_end) return entry.make(std::max(threads, 1));
  }
  throw Error(Status::unsupported, {.what = "no parallel back end '" + std::string(back_end) + "' in this build",
                                    .where = {},
                                    .why = {},
                                    .kept = {},
                                    .hint = "threads, serial"});
}

#if !HS_HAVE_TBB
const char* parallel_back_end() { return std::string_view(HS_PARALLEL_DEFAULT) == "serial" ? "serial" : "std::thread"; }
struct ParallelLimit::Hold {};
ParallelLimit::ParallelLimit(int) {}
ParallelLimit::~ParallelLimit() = default;
#endif

}  // namespace halfstep
