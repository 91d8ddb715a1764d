#include "parallel/threads.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <locale>
#include <sstream>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace halfstep {
namespace {

// A quota file's number: none when it is absent, "max" or negative, the ways of saying "no limit".
std::optional<double> positive(const std::string& text) {
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  double value = 0;
  if (!(stream >> value) || !(value > 0)) return {};
  return value;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "max 100000" or "150000 100000": quota and period in microseconds.
std::optional<double> quota_v2(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");
  const std::size_t blank = line.find(' ');
  if (blank == std::string::npos) return {};
  const auto quota = positive(line.substr(0, blank)), period = positive(line.substr(blank + 1));
  if (!quota || !period) return {};
  return *quota / *period;
}

std::optional<double> quota_v1(const std::string& folder) {
  const auto quota = positive(first_line(folder + "/cpu.cfs_quota_us"));
  const auto period = positive(first_line(folder + "/cpu.cfs_period_us"));
  if (!quota || !period) return {};
  return *quota / *period;
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

// The limit of a group is the smallest on the way up to the root. In a container the path may not exist under the
// mount, whose root then is our own group: the walk ends there and finds it.
template <class Quota>
std::optional<double> smallest_on_path(const std::string& mount, std::string group, Quota quota) {
  std::optional<double> limit = quota(mount);
  while (!group.empty() && group != "/") {
    limit = smaller(limit, quota(mount + group));
    group.erase(group.find_last_of('/'));
  }
  return limit;
}

bool lists(const std::string& controllers, const std::string& wanted) {
  return ("," + controllers + ",").find("," + wanted + ",") != std::string::npos;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

}  // namespace

std::optional<double> cpu_quota(const std::string& root, const std::string& membership) {
  std::optional<double> limit;
  std::ifstream file(membership);
  // Lines are "id:controllers:/path"; the v2 line has no controllers.
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      limit = smaller(limit, smallest_on_path(root, group, quota_v2));
    } else if (lists(controllers, "cpu")) {
      limit = smaller(limit, smallest_on_path(root + "/" + controllers, group, quota_v1));
      limit = smaller(limit, smallest_on_path(root + "/cpu", group, quota_v1));
    }
  }
  return limit;
}

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
    return {std::max(1, static_cast<int>(std::ceil(*quota))), "CPU quota of " + short_number(*quota) + " (cgroup)"};
  }
  return {std::min(cpus, kMaxThreads), std::to_string(cpus) + (cpus == 1 ? " CPU" : " CPUs") + " in the affinity mask"};
}

}  // namespace halfstep
