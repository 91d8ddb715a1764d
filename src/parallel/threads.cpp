#include "parallel/threads.hpp"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

// "max 100000" or "150000 100000": quota and period in microseconds.
std::optional<double> quota_v2(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");
  const std::size_t blank = line.find(' ');
  if (blank == std::string::npos) return {};
  const auto quota = positive_number(line.substr(0, blank)), period = positive_number(line.substr(blank + 1));
  if (!quota || !period) return {};
  return *quota / *period;
}

std::optional<double> quota_v1(const std::string& folder) {
  const auto quota = positive_number(first_line(folder + "/cpu.cfs_quota_us"));
  const auto period = positive_number(first_line(folder + "/cpu.cfs_period_us"));
  if (!quota || !period) return {};
  return *quota / *period;
}

}  // namespace

std::optional<double> cpu_quota(const CgroupPlaces& places) { return cgroup_limit(places, "cpu", quota_v2, quota_v1); }

int affinity_threads() {
#if defined(__linux__)
  // The kernel refuses a mask smaller than its own, so grow it until it fits.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    std::vector<unsigned char> mask(bytes + alignof(cpu_set_t));
    auto* set = reinterpret_cast<cpu_set_t*>(mask.data());
    if (sched_getaffinity(0, bytes, set) == 0) return std::max(CPU_COUNT_S(bytes, set), 1);
  }
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

ThreadChoice choose_threads(int requested) {
  if (requested > kMaxThreads) {
    return {kMaxThreads, "asked for " + std::to_string(requested) + ", at most " + std::to_string(kMaxThreads)};
  }
  if (requested > 0) return {requested, "asked for"};
  const int cpus = affinity_threads();
  const std::optional<double> quota = cpu_quota();
  if (quota && std::ceil(*quota) < cpus) {
    return {std::max(1, static_cast<int>(std::ceil(*quota))), "CPU quota of " + short_number(*quota, 3) + " (cgroup)"};
  }
  return {std::min(cpus, kMaxThreads), std::to_string(cpus) + (cpus == 1 ? " CPU" : " CPUs") + " in the affinity mask"};
}

}  // namespace halfstep::internal
