#include "peers/call_race.hpp"

#include <algorithm>

#include "bench/timing.hpp"

namespace halfstep::peers {

using namespace internal;
namespace {

constexpr double kWarm = 0.002, kWindow = 0.010;  // seconds
constexpr std::size_t kFewest = 5;                // calls of a turn

double percentile_99(std::vector<double> values) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 99 / 100);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

std::vector<double> turn(const Caller& caller, std::size_t number) {
  std::size_t batch = number;
  for (const double start = seconds_now(); seconds_now() - start < kWarm;) caller.call(batch++ % kBatches);
  std::vector<double> times;
  times.reserve(std::size_t{1} << 16);  // no growing between two readings
  const double start = seconds_now();
  for (double now = start; now - start < kWindow || times.size() < kFewest;) {
    const double before = seconds_now();
    caller.call(batch++ % kBatches);
    now = seconds_now();
    times.push_back(now - before);
  }
  return times;
}

}  // namespace

std::vector<CallTimes> race_calls(const std::vector<Caller>& callers, int rounds) {
  std::vector<CallTimes> results(callers.size());
  std::vector<std::vector<double>> all(callers.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < callers.size(); ++i) {
      const std::vector<double> times = turn(callers[i], static_cast<std::size_t>(round));
      results[i].medians.push_back(median(times));
      all[i].insert(all[i].end(), times.begin(), times.end());
    }
  }
  for (std::size_t i = 0; i < callers.size(); ++i) {
    results[i].median = median(all[i]);
    results[i].p99 = percentile_99(all[i]);
  }
  return results;
}

double clock_seconds() {
  std::vector<double> times(10001);
  for (double& time : times) {
    const double before = seconds_now();
    time = seconds_now() - before;
  }
  return median(times);
}

double median_ratio(const CallTimes& theirs, const CallTimes& ours) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.medians.size(); ++i) ratios.push_back(theirs.medians[i] / ours.medians[i]);
  return median(ratios);
}

}  // namespace halfstep::peers
