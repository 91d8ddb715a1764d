#include "doctor/machine_limits.hpp"

#include <sys/resource.h>

#include <limits>

#include "base/fp_env.hpp"
#include "base/memory_limit.hpp"
#include "parallel/threads.hpp"

namespace halfstep::internal {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::vector<ProcessLimit> process_limits() {
  const auto bytes = [](rlim_t limit) { return limit == RLIM_INFINITY ? kNoLimit : std::uint64_t{limit}; };
  std::vector<ProcessLimit> limits;
  const auto add = [&](const char* name, auto resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) == 0) limits.push_back({name, bytes(limit.rlim_cur), bytes(limit.rlim_max)});
  };
  add("address space", RLIMIT_AS);
  add("data", RLIMIT_DATA);
  add("stack", RLIMIT_STACK);
  add("file size", RLIMIT_FSIZE);
  add("open files", RLIMIT_NOFILE);
  add("processes and threads", RLIMIT_NPROC);
  add("CPU seconds", RLIMIT_CPU);
  return limits;
}

}  // namespace

MachineLimits machine_limits() {
  const MemoryLimit memory = memory_limit();
  return {affinity_threads(), cpu_quota().value_or(0), memory.bytes, memory.source, process_limits()};
}

CallerFloatingPoint caller_floating_point() {
  const auto word = FpEnvGuard::read();
#if defined(__x86_64__)
  // MXCSR: rounding in bits 13 and 14, FTZ 15, DAZ 6, masks of six exceptions from 7 on.
  constexpr const char* kRounding[] = {"to nearest", "downward", "upward", "toward zero"};
  return {kRounding[word >> 13 & 3], (word >> 15 & 1) != 0, (word >> 6 & 1) != 0, (word & 0x1f80u) != 0x1f80u};
#else
  // FPCR: rounding in bits 22 and 23, FZ 24 (of inputs and results), exceptions enabled in bits 8 to 12 and 15.
  constexpr const char* kRounding[] = {"to nearest", "upward", "downward", "toward zero"};
  const bool flushes = (word >> 24 & 1) != 0;
  return {kRounding[word >> 22 & 3], flushes, flushes, (word & 0x9f00u) != 0};
#endif
}

}  // namespace halfstep::internal
