#include "base/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <locale>
#include <sstream>

namespace halfstep::internal {
namespace {

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

// The limit of a group is the smallest on the way up to the root. In a container the path may not exist under the
// mount, whose root then is our own group: the walk ends there and finds it.
std::optional<double> smallest_on_path(const std::string& mount, std::string group, CgroupReader read) {
  std::optional<double> limit = read(mount);
  while (!group.empty() && group != "/") {
    limit = smaller(limit, read(mount + group));
    group.erase(group.find_last_of('/'));
  }
  return limit;
}

bool lists(const std::string& controllers, std::string_view wanted) {
  return ("," + controllers + ",").find("," + std::string(wanted) + ",") != std::string::npos;
}

}  // namespace

std::optional<double> positive_number(const std::string& text) {
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

std::optional<double> cgroup_limit(const CgroupPlaces& places, std::string_view controller, CgroupReader v2,
                                   CgroupReader v1) {
  std::optional<double> limit;
  std::ifstream file(places.membership);
  // Lines are "id:controllers:/path"; the v2 line has no controllers.
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      limit = smaller(limit, smallest_on_path(places.root, group, v2));
    } else if (lists(controllers, controller)) {
      limit = smaller(limit, smallest_on_path(places.root + "/" + controllers, group, v1));
      limit = smaller(limit, smallest_on_path(places.root + "/" + std::string(controller), group, v1));
    }
  }
  return limit;
}

}  // namespace halfstep::internal
