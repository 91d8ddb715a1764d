#include "support/isa_loop.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <sstream>

namespace halfstep::test {

using namespace internal;
namespace {

std::vector<std::string>& recorded() {
  static std::vector<std::string> names;
  return names;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Of an environment variable, separated by blanks.
std::vector<std::string> names_in(const char* variable) {
  const char* const value = std::getenv(variable);
  std::istringstream words(value == nullptr ? "" : value);
  return {std::istream_iterator<std::string>(words), {}};
}

}  // namespace

void record_isa(std::string_view name) {
  if (!contains(recorded(), name)) recorded().emplace_back(name);
}

std::vector<std::string> covered_isas() { return recorded(); }

bool is_tested(std::string_view name) {
  static const std::vector<std::string> chosen = names_in("HALFSTEP_TEST_ISAS");
  return chosen.empty() || contains(chosen, name);
}

std::vector<std::string> missing_isas() {
  std::vector<std::string> missing;
  if (recorded().empty()) return missing;
  for (const std::string& name : names_in("HALFSTEP_REQUIRED_ISAS")) {
    if (!contains(recorded(), name)) missing.push_back(name);
  }
  return missing;
}

}  // namespace halfstep::test
