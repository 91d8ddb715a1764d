// How much work a test may do. HALFSTEP_TEST_EFFORT=quick reduces it, for emulators and sanitizers; with =exhaustive
// the tests that can take every input there is do so.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace halfstep::test {

inline bool effort_is(std::string_view name) {
  const char* variable = std::getenv("HALFSTEP_TEST_EFFORT");
  return variable != nullptr && variable == name;
}

// 1, or 0.1 when quick.
inline double test_effort() {
  static const double factor = effort_is("quick") ? 0.1 : 1.0;
  return factor;
}

inline bool exhaustive() {
  static const bool all = effort_is("exhaustive");
  return all;
}

// A number of samples, at least one.
inline std::size_t sized(std::size_t full) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(full) * test_effort()));
}

}  // namespace halfstep::test
