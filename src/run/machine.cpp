#include "run/machine.hpp"

#include "kernels/dispatch.hpp"
#include "parallel/threads.hpp"

namespace halfstep::internal {

Machine::Machine(const Options& options) {
  const ThreadChoice choice = choose_threads(options.threads);
  if (options.owns_process && choice.count > affinity_threads()) limit = std::make_unique<ParallelLimit>(choice.count);
  executor = make_executor(choice.count, options.threads_of_host ? "host" : "");
  kernels = &select_isa(options.isa, options.math);
  const int threads = executor->threads();
  const std::string reason = executor->short_of_threads()
                                 ? "the system gave no more, " + std::to_string(choice.count) + " wanted"
                                 : choice.reason;
  description = std::string(kernels->name) + " (" + selection_reason(options.isa) +
                (options.math == Math::native ? ", native math" : "") + "), " + std::to_string(threads) +
                (threads == 1 ? " thread (" : " threads (") + reason + ")";
}

}  // namespace halfstep::internal
