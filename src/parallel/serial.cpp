// Every task on the caller's thread.
#include "parallel/back_ends.hpp"

namespace halfstep::internal {
namespace {

class SerialExecutor final : public Executor {
 public:
  SerialExecutor() : Executor(1) {}

 private:
  void run_parallel(std::uint32_t, TaskRef, const WorkerHooks&) override {}  // never: one thread
};

}  // namespace

std::unique_ptr<Executor> make_serial_executor(int) { return std::make_unique<SerialExecutor>(); }

}  // namespace halfstep::internal
