#include "bench/caches.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#if defined(__linux__)
#include <unistd.h>
#endif

#include "gemm/blocking.hpp"

namespace halfstep::internal {
namespace {

struct Cache {
  int level = 0;
  double bytes = 0;
  std::string cpus;  // that share it
};

// The cache of the highest level that this CPU has, from Linux's sysfs; level 0 where there is none. sysconf may give
// the sum over a whole package instead.
Cache last_level(int cpu) {
  Cache last;
  for (int index = 0;; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index" + std::to_string(index) + "/";
    Cache cache;
    double kib = 0;  // "32768K"
    if (!(std::ifstream(folder + "level") >> cache.level)) return last;
    if (std::ifstream(folder + "size") >> kib) cache.bytes = 1024 * kib;
    std::ifstream(folder + "shared_cpu_list") >> cache.cpus;
    if (cache.level >= last.level && cache.bytes > 0) last = cache;
  }
}

int cpu_count() {
#if defined(__linux__)
  return static_cast<int>(sysconf(_SC_NPROCESSORS_CONF));
#else
  return 0;
#endif
}

}  // namespace

double cache_bytes(int threads) {
  std::map<std::string, Cache> distinct;
  for (int cpu = 0; cpu < cpu_count(); ++cpu) {
    const Cache cache = last_level(cpu);
    if (cache.level > 0) distinct[cache.cpus] = cache;
  }
  if (distinct.empty()) return std::numeric_limits<double>::infinity();
  std::vector<double> sizes;
  for (const auto& [cpus, cache] : distinct) sizes.push_back(cache.bytes);
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  double total = 0;
  for (std::size_t i = 0; i < std::min(sizes.size(), static_cast<std::size_t>(threads)); ++i) total += sizes[i];
  const bool above_l2 = distinct.begin()->second.level > 2;
  return above_l2 ? total + static_cast<double>(threads) * static_cast<double>(cache_sizes().l2) : total;
}

std::size_t beyond_cache_bytes(int threads) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  return static_cast<std::size_t>(std::clamp(8 * cache_bytes(threads), 0x1p26, 0x1p29)) / kMiB * kMiB;
}

}  // namespace halfstep::internal
