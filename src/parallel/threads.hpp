// How many threads to use, and why.
#pragma once
#include <optional>
#include <string>

#include "base/cgroup.hpp"

namespace halfstep::internal {

inline constexpr int kMaxThreads = 1024;

struct ThreadChoice {
  int count;
  std::string reason;  // "2 CPUs in the affinity mask", "CPU quota of 1.5 (cgroup)", "asked for"
};

// 0 or less: as many as this process may really use, the smaller of its affinity mask and its CPU quota, rounded up.
// Else what was asked for, up to kMaxThreads; more than the CPUs needs a ParallelLimit with oneTBB.
ThreadChoice choose_threads(int requested = 0);

// CPUs that the scheduler may put this process on.
int affinity_threads();

// CPU quota of this process's control groups (v1 and v2) in CPUs; none when there is no limit.
std::optional<double> cpu_quota(const CgroupPlaces& places = {});

}  // namespace halfstep::internal
