// Interleaved repetitions and their medians.
#pragma once
#include <functional>
#include <vector>

namespace halfstep::internal {

double seconds_now();  // monotonic

double median(std::vector<double> values);

// One thing to time. `run` does its work `count` times.
struct TimedCase {
  std::function<void(std::size_t count)> run;
  double window = 0.01;  // seconds of one repetition
  std::size_t count = 0;
  std::vector<double> seconds;  // of one run, a value for each repetition
};

// Times A B C A B C ...: each repetition visits every case once, so that what disturbs the machine meets them all.
void time_interleaved(std::vector<TimedCase>& cases, int repetitions);

}  // namespace halfstep::internal
