#include "base/memory_limit.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace halfstep::internal {
namespace {

std::optional<double> max_v2(const std::string& folder) { return positive_number(first_line(folder + "/memory.max")); }
std::optional<double> limit_v1(const std::string& folder) {
  return positive_number(first_line(folder + "/memory.limit_in_bytes"));
}

std::optional<double> physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return {};
  return static_cast<double>(pages) * static_cast<double>(page);
}

std::optional<double> address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

MemoryLimit memory_limit(const CgroupPlaces& places) {
  MemoryLimit smallest;
  const auto consider = [&](std::optional<double> bytes, const char* source) {
    if (!bytes || *bytes >= static_cast<double>(smallest.bytes)) return;
    smallest = {static_cast<std::uint64_t>(*bytes), source};
  };
  consider(physical_memory(), "physical memory");
  consider(cgroup_limit(places, "memory", max_v2, limit_v1), "memory limit of the control group");
  consider(address_space(), "address space limit, ulimit -v");
  return smallest;
}

}  // namespace halfstep::internal
