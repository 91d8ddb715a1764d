// What is true of a thread while it runs tasks.
#pragma once
#include "base/fp_env.hpp"

namespace halfstep {

class Executor;

// The executor's floating-point environment, and where the thread is: a run inside a body must stay on the thread,
// whose worker's scratch memory is its own there.
class WorkerScope {
 public:
  WorkerScope(const Executor* executor, int worker) : before_(place()) { place() = {executor, worker}; }
  ~WorkerScope() { place() = before_; }
  WorkerScope(const WorkerScope&) = delete;
  WorkerScope& operator=(const WorkerScope&) = delete;

  struct Place {
    const Executor* executor = nullptr;
    int worker = 0;
  };
  // Of this thread.
  static Place& place() {
    static thread_local Place here;
    return here;
  }

 private:
  FpEnvGuard fp_env_;
  Place before_;
};

}  // namespace halfstep
