#include "support/isa_loop.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace halfstep::test {
namespace {

std::vector<std::string>& recorded() {
  static std::vector<std::string> names;
  return names;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void record_isa(std::string_view name) {
  if (!contains(recorded(), name)) recorded().emplace_back(name);
}

std::vector<std::string> covered_isas() { return recorded(); }

std::vector<std::string> missing_isas() {
  std::vector<std::string> missing;
  const char* required = std::getenv("HALFSTEP_REQUIRED_ISAS");
  if (required == nullptr || recorded().empty()) return missing;
  std::istringstream names(required);
  for (std::string name; names >> name;) {
    if (!contains(recorded(), name)) missing.push_back(name);
  }
  return missing;
}

}  // namespace halfstep::test
