#include "bench/parallel_rate.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "base/fp_env.hpp"
#include "bench/timing.hpp"

namespace halfstep::internal {
namespace {

// The system may start a thread on the core of its parent and needs some milliseconds to move it.
constexpr double kWarmUp = 0.008;

double rate_of(std::size_t thread, double seconds, const std::function<double(std::size_t, std::size_t)>& work) {
  const FpEnvGuard fp_env;
  double done = 0;
  const double start = seconds_now();
  double now = start;
  for (std::size_t turn = 0; now - start < seconds; ++turn) {
    done += work(thread, turn);
    now = seconds_now();
  }
  return done / (now - start) / 1e9;
}

}  // namespace

double parallel_rate(int threads, double seconds, const std::function<double(std::size_t, std::size_t)>& work) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::atomic<int> waiting = threads;
  auto body = [&](std::size_t thread) {
    waiting.fetch_sub(1);
    while (waiting.load() > 0) std::this_thread::yield();
    rate_of(thread, kWarmUp, work);
    rates[thread] = rate_of(thread, seconds, work);
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < rates.size(); ++i) others.emplace_back(body, i);
  body(0);
  for (std::thread& t : others) t.join();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace halfstep::internal
