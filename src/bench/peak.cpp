#include "bench/peak.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/fp_env.hpp"
#include "bench/timing.hpp"

namespace halfstep {
namespace {

double loop_rate(double (*loop)(std::size_t), double seconds) {
  const FpEnvGuard fp_env;
  double done = 0;
  const double start = seconds_now();
  double now = start;
  do {
    done += loop(20000);
    now = seconds_now();
  } while (now - start < seconds);
  return done / (now - start) / 1e9;
}

// Threads of its own, started together: the rate does not depend on the executor that is being judged.
double parallel_rate(double (*loop)(std::size_t), int threads, double seconds) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::atomic<int> waiting = threads;
  auto body = [&](std::size_t i) {
    waiting.fetch_sub(1);
    while (waiting.load() > 0) std::this_thread::yield();
    rates[i] = loop_rate(loop, seconds);
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < rates.size(); ++i) others.emplace_back(body, i);
  body(0);
  for (std::thread& t : others) t.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

}  // namespace

double measure_peak(const KernelTable& kernels, Dtype dtype, int threads, double seconds) {
  double peak = parallel_rate(kernels.peak_fma, threads, seconds);
  if (dtype == Dtype::bf16 && kernels.peak_dot_bf16 != nullptr) {
    peak = std::max(peak, parallel_rate(kernels.peak_dot_bf16, threads, seconds));
  }
  return peak;
}

}  // namespace halfstep
