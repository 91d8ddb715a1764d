// Limits that the control groups of this process set (Linux; elsewhere there are none).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace halfstep::internal {

// Where to look, for the tests: `root` holds the mounted groups, `membership` is the file that says which are ours.
struct CgroupPlaces {
  std::string root = "/sys/fs/cgroup";
  std::string membership = "/proc/self/cgroup";
};

// The limit that one group's folder states; none where it states none.
using CgroupReader = std::optional<double> (*)(const std::string& folder);

// The smallest limit of our groups and those above them, in v2 as `v2` reads it and in v1, where it is the business of
// `controller`, as `v1` does.
std::optional<double> cgroup_limit(const CgroupPlaces& places, std::string_view controller, CgroupReader v2,
                                   CgroupReader v1);

std::string first_line(const std::string& path);  // empty where there is no such file
// The number that a text begins with; none where it is missing, "max" or negative, the ways of saying "no limit".
std::optional<double> positive_number(const std::string& text);

}  // namespace halfstep::internal
