#include "parallel/executor.hpp"

#include <algorithm>

#include "halfstep/error.hpp"
#include "parallel/back_ends.hpp"
#include "parallel/worker_scope.hpp"

namespace halfstep::internal {

void Executor::run(std::size_t tasks, TaskRef body, int most_threads, const WorkerHooks& hooks) {
  if (tasks == 0) return;
  if (const auto place = WorkerScope::place(); place.executor == this)
    return run_inline(tasks, place.worker, body, hooks);
  const std::lock_guard lock(turn_);
  if (tasks == 1 || tasks > UINT32_MAX || threads_ == 1 || most_threads == 1 || alone_) {
    return run_inline(tasks, 0, body, hooks);
  }
  run_parallel(static_cast<std::uint32_t>(tasks), body, hooks);
}

void Executor::run_inline(std::size_t tasks, int worker, TaskRef body, const WorkerHooks& hooks) const {
  const WorkerScope scope(this, worker, hooks);
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
    {"host", make_host_executor},
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

}  // namespace halfstep::internal
