// Times of single calls: medians and the slow end, contenders in turns.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace halfstep::peers {

struct Caller {
  std::string name;
  std::function<void(std::size_t batch)> call;  // on one of kBatches batches, in turns
};

inline constexpr std::size_t kBatches = 16;

struct CallTimes {
  std::vector<double> medians;  // seconds, of each round
  double median = 0, p99 = 0;   // of all calls
};

// In each round every caller has its turn: calls that are not counted, then some milliseconds of calls with a clock
// around each. What the clock itself takes is in them.
std::vector<CallTimes> race_calls(const std::vector<Caller>& callers, int rounds);

// What two readings of the clock take with nothing between them: median, in seconds.
double clock_seconds();

// Of their time by ours, round by round.
double median_ratio(const CallTimes& theirs, const CallTimes& ours);

}  // namespace halfstep::peers
