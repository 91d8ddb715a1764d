#include "bench/timing.hpp"

#include <algorithm>
#include <chrono>

namespace halfstep::internal {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void time_interleaved(std::vector<TimedCase>& cases, int repetitions) {
  for (TimedCase& c : cases) {
    c.run(1);  // caches, pages, threads
    c.count = 1;
    for (;;) {
      const double start = seconds_now();
      c.run(c.count);
      const double took = seconds_now() - start;
      if (took > 0.25 * c.window) {
        c.count = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(c.count) * c.window / took));
        break;
      }
      c.count *= 4;
    }
  }
  for (int r = 0; r < repetitions; ++r) {
    for (TimedCase& c : cases) {
      const double start = seconds_now();
      c.run(c.count);
      c.seconds.push_back((seconds_now() - start) / static_cast<double>(c.count));
    }
  }
}

}  // namespace halfstep::internal
