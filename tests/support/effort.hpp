// How much work a test may do. HALFSTEP_TEST_EFFORT=quick reduces it, for emulators and sanitizers.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace halfstep::test {

// 1, or 0.1 when quick.
inline double test_effort() {
  static const double factor = [] {
    const char* variable = std::getenv("HALFSTEP_TEST_EFFORT");
    return variable != nullptr && std::string_view(variable) == "quick" ? 0.1 : 1.0;
  }();
  return factor;
}

// A number of samples, at least one.
inline std::size_t sized(std::size_t full) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(full) * test_effort()));
}

}  // namespace halfstep::test
