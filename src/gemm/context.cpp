#include "gemm/context.hpp"

#include "kernels/cpu.hpp"

namespace halfstep::internal {

GemmContext::GemmContext(const KernelTable& table, Executor& threads)
    : kernels(table),
      executor(threads),
      widen_once(slow_conversions()),
      dot_bf16(!slow_dot_bf16()),
      floats_(static_cast<std::size_t>(threads.threads()) * Scratch::kFloats),
      converted_(static_cast<std::size_t>(threads.threads())) {}

}  // namespace halfstep::internal
