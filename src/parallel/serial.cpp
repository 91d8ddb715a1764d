// Every task on the caller's thread.
#include "parallel/back_ends.hpp"

namespace halfstep {
namespace {

class SerialExecutor final : public Executor {
 public:
  SerialExecutor() : Executor(1) {}

 private:
  void run_parallel(std::size_t, TaskRef body) override { drain(0, body); }
};

}  // namespace

std::unique_ptr<Executor> make_serial_executor(int) { return std::make_unique<SerialExecutor>(); }

}  // namespace halfstep
