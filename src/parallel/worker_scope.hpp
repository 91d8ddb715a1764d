// What is true of a thread while it runs tasks.
#pragma once
#include "base/fp_env.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

// The executor's floating-point environment, the hooks of the run, and where the thread is: a run inside a body must
// stay on the thread, whose worker's scratch memory is its own there.
class WorkerScope {
 public:
  WorkerScope(const Executor* executor, int worker, const WorkerHooks& hooks = {})
      : before_(place()), enters_(hooks.enter != nullptr && hooks != before_.hooks) {
    place() = {executor, worker, enters_ ? hooks : before_.hooks};
    if (!enters_) return;
    if (before_.hooks.leave) before_.hooks.leave();
    hooks.enter();
  }
  ~WorkerScope() {
    if (enters_) {
      place().hooks.leave();
      if (before_.hooks.enter) before_.hooks.enter();
    }
    place() = before_;
  }
  WorkerScope(const WorkerScope&) = delete;
  WorkerScope& operator=(const WorkerScope&) = delete;

  struct Place {
    const Executor* executor = nullptr;
    int worker = 0;
    WorkerHooks hooks = {};  // entered
  };
  // Of this thread.
  static Place& place() {
    static thread_local Place here;
    return here;
  }

 private:
  FpEnvGuard fp_env_;
  Place before_;
  bool enters_;
};

}  // namespace halfstep::internal
