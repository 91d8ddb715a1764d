#include "bench/precision_speed.hpp"

#include <algorithm>

#include "bench/gemm_case.hpp"
#include "bench/step_case.hpp"
#include "bench/timing.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

constexpr Dtype kSpeedOf[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
constexpr int kTurns = 9;
constexpr std::size_t kSize = 384;  // of the product, each way

// The tiles in use read both operands as they are stored.
bool multiplies_stored(const KernelTable& kernels, Executor& executor, Dtype dtype) {
  return GemmContext(kernels, executor).family(dtype).lhs_bytes == size_of(dtype);
}

// A product and a network of one precision.
struct SpeedCase {
  SpeedCase(const KernelTable& kernels, Executor& executor, const StepBenchRequest& request,
            const data::Examples& examples, Dtype dtype, int threads)
      : product(kernels, executor, {Product::forward, dtype, kSize, kSize, kSize}, GemmEpilogue::plain),
        network(request, dtype, kernels),
        step(network, examples, request, kernels, threads) {
    step.load();
  }

  GemmCase product;
  StepNetwork network;
  StepCase step;
};

// Which is fastest must not depend on what else the machine did in some of the turns.
double best(const TimedCase& timed) { return *std::min_element(timed.seconds.begin(), timed.seconds.end()); }

std::string speed_of(const PrecisionSpeed& speed) {
  return "a step in " + std::string(name(speed.precision)) + (speed.native ? "" : ", emulated,") + " runs at " +
         short_number(speed.step_speedup, 2) + " times the speed of fp32";
}

}  // namespace

std::vector<PrecisionSpeed> precision_speeds(const KernelTable& kernels, int threads) {
  const StepBenchRequest request = {.widths = {256, 256, 256, 10}, .batch = 64};
  const data::Examples examples = random_batch(request.batch, request.widths.front(), request.widths.back());
  const std::unique_ptr<Executor> executor = make_executor(threads);
  std::vector<std::unique_ptr<SpeedCase>> of_precision;
  std::vector<TimedCase> timed;
  for (const Dtype dtype : kSpeedOf) {
    of_precision.push_back(std::make_unique<SpeedCase>(kernels, *executor, request, examples, dtype, threads));
    SpeedCase& now = *of_precision.back();
    timed.push_back({[&now](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) now.product.run();
    }});
    timed.push_back({[&now](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) now.step.run();
    }});
  }
  time_interleaved(timed, kTurns);
  std::vector<PrecisionSpeed> speeds;
  for (std::size_t i = 0; i < std::size(kSpeedOf); ++i) {
    const double product = best(timed[2 * i]), step = best(timed[2 * i + 1]);
    const double gflops = 2e-9 * kSize * kSize * kSize / product;
    speeds.push_back({kSpeedOf[i], multiplies_stored(kernels, *executor, kSpeedOf[i]), gflops, 1e9 * step});
    speeds.back().gemm_speedup = gflops / speeds.front().gemm_gflops;
    speeds.back().step_speedup = speeds.front().step_ns / speeds.back().step_ns;
  }
  return speeds;
}

std::string fastest_precision(std::vector<PrecisionSpeed> speeds) {
  if (speeds.empty()) return {};
  std::stable_sort(speeds.begin(), speeds.end(),
                   [](const PrecisionSpeed& a, const PrecisionSpeed& b) { return a.step_ns < b.step_ns; });
  std::string text = std::string(name(speeds.front().precision)) + " trains fastest here";
  const char* separator = ": ";
  for (const PrecisionSpeed& speed : speeds) {
    if (speed.precision == Dtype::fp32) continue;
    text += separator + speed_of(speed);
    separator = ", ";
  }
  return text;
}

}  // namespace halfstep::internal
