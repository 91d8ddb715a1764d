#include "bench/peak.hpp"

#include <algorithm>

#include "bench/parallel_rate.hpp"

namespace halfstep::internal {
namespace {

double loop_rate(double (*loop)(std::size_t), int threads, double seconds) {
  return parallel_rate(threads, seconds, [loop](std::size_t, std::size_t) { return loop(20000); });
}

}  // namespace

double measure_peak(const KernelTable& kernels, Dtype dtype, int threads, double seconds) {
  double peak = loop_rate(kernels.peak_fma, threads, seconds);
  if (dtype == Dtype::bf16 && kernels.peak_dot_bf16 != nullptr) {
    peak = std::max(peak, loop_rate(kernels.peak_dot_bf16, threads, seconds));
  }
  return peak;
}

}  // namespace halfstep::internal
