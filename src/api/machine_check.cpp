#include "halfstep/machine_check.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "doctor/machine_limits.hpp"
#include "doctor/self_test.hpp"
#include "doctor/self_test_advice.hpp"
#include "halfstep/bench.hpp"
#include "halfstep/text.hpp"
#include "kernels/cpu.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"
#include "parallel/threads.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr Dtype kPrecisions[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
constexpr int kRepetitions = 3;

// The tiles in use read both operands as they are stored.
bool is_native(const KernelTable& kernels, Dtype dtype) {
  const GemmFamily& family = kernels.gemm[index_of(dtype)];
  if (family.by_fma && slow_dot_bf16()) return false;
  return dtype == Dtype::fp32 || family.lhs_bytes == size_of(dtype);
}

std::vector<PrecisionSpeed> measure(const MachineOptions& options, const IsaState& chosen, int threads) {
  std::vector<PrecisionSpeed> speeds;
  const StepBenchRequest request = {.widths = {256, 256, 256, 10},
                                    .batch = 64,
                                    .precisions = {std::begin(kPrecisions), std::end(kPrecisions)},
                                    .isas = {chosen.name},
                                    .math = options.math,
                                    .threads = {threads},
                                    .repetitions = kRepetitions};
  const std::vector<StepBenchResult> steps = bench_step(request);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const GemmBenchRequest product = {.shape = {Product::forward, kPrecisions[i], 512, 512, 512},
                                      .isas = {chosen.name},
                                      .math = options.math,
                                      .threads = {threads},
                                      .epilogue = GemmEpilogue::plain,
                                      .repetitions = kRepetitions};
    PrecisionSpeed speed = {kPrecisions[i], is_native(*chosen.table, kPrecisions[i])};
    speed.gemm_gflops = bench_gemm(product).front().gflops;
    speed.step_ns = steps[i].median_ns;
    speeds.push_back(speed);
  }
  for (PrecisionSpeed& speed : speeds) {
    speed.gemm_speedup = speed.gemm_gflops / speeds.front().gemm_gflops;
    speed.step_speedup = speeds.front().step_ns / speed.step_ns;
  }
  return speeds;
}

std::string sentence(std::vector<PrecisionSpeed> speeds) {
  if (speeds.empty()) return {};
  std::stable_sort(speeds.begin(), speeds.end(),
                   [](const PrecisionSpeed& a, const PrecisionSpeed& b) { return a.step_ns < b.step_ns; });
  std::string text = std::string(name(speeds.front().precision)) + " trains fastest here";
  const char* separator = ": ";
  for (const PrecisionSpeed& speed : speeds) {
    if (speed.precision == Dtype::fp32) continue;
    text += separator + ("a step in " + std::string(name(speed.precision))) + (speed.native ? "" : ", emulated,") +
            " has " + short_number(speed.step_speedup, 2) + " times the speed of fp32";
    separator = ", ";
  }
  return text;
}

// Of every ISA that runs here; scalar comes first and is what they are held against.
std::vector<IsaCheck> check_kernels() {
  std::vector<TestedTable> tables;
  for (const IsaState& state : isas()) {
    if (state.runnable) tables.push_back({state.name, state.table});
  }
  return self_test(*isas().front().table, tables);
}

}  // namespace

MachineReport examine_machine(const MachineOptions& options) {
  MachineReport report;
  report.floating_point = caller_floating_point();
  report.system = system_info(options.isa, options.math);
  if (options.threads > 0) {
    report.system.threads = options.threads;
    report.system.threads_reason = "asked for";
  }
  report.limits = machine_limits();
  report.self_test = check_kernels();
  const IsaState& chosen = select_isa_state(options.isa, options.math);
  std::vector<std::string> allowed;
  for (const IsaState& state : isas()) {
    if (usable(state, options.math)) allowed.push_back(state.name);
  }
  report.advice = self_test_advice(report.self_test, chosen.name, allowed);
  report.ok = report.advice.empty();
  if (options.measure) report.precisions = measure(options, chosen, report.system.threads);
  report.fastest = sentence(report.precisions);
  return report;
}

}  // namespace halfstep
