#include <algorithm>

#include "base/arena.hpp"
#include "bench/bandwidth.hpp"
#include "bench/caches.hpp"
#include "bench/peak.hpp"
#include "bench/step_bound.hpp"
#include "bench/step_case.hpp"
#include "bench/timing.hpp"
#include "halfstep/error.hpp"
#include "halfstep/options.hpp"
#include "kernels/dispatch.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kMostWidth = std::size_t{1} << 20;
constexpr std::size_t kMostLayers = 257;
constexpr double kWarm = 0.002;     // seconds of steps before a window, and of steps with a clock behind it
constexpr double kLongStep = 0.02;  // seconds; what is not in cache when such a step starts costs less than 1 %

[[noreturn]] void refuse(std::string what, std::string where, std::string hint) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::move(where), .why = {}, .kept = {}, .hint = std::move(hint)});
}

void check_sizes(const StepBenchRequest& r) {
  if (r.widths.size() < 2 || r.widths.size() > kMostLayers + 1) {
    refuse("a network needs the widths of its inputs and of 1 to " + std::to_string(kMostLayers) + " layers",
           std::to_string(r.widths.size()) + " widths", "--widths 784,512,512,10");
  }
  double elements = 0;  // refused before a product of sizes can wrap
  for (std::size_t i = 0; i < r.widths.size(); ++i) {
    if (r.widths[i] < 1 || r.widths[i] > kMostWidth) {
      refuse("widths must be from 1 to " + std::to_string(kMostWidth), std::to_string(r.widths[i]), {});
    }
    elements += static_cast<double>(r.batch) * static_cast<double>(r.widths[i]);
    if (i > 0) elements += static_cast<double>(r.widths[i - 1]) * static_cast<double>(r.widths[i]);
  }
  if (r.batch < 1 || elements > 0x1p40) {
    refuse("a batch must be at least 1 and fit in memory", std::to_string(r.batch), "--batch 128");
  }
}

// What train would refuse: a combination, or a number out of range.
void check_options(const StepBenchRequest& r, Dtype precision) {
  Options options;
  options.precision = precision;
  options.batch = static_cast<std::int64_t>(r.batch);
  options.activation = r.activation;
  options.clip_norm = r.clip_norm;
  options.optimizer = r.optimizer.kind;
  options.moments = r.optimizer.moments;
  options.master = r.optimizer.master;
  if (r.optimizer.kind == OptimizerKind::sgd) options.momentum = r.optimizer.momentum;
  validate(options);
}

}  // namespace

namespace internal {

void check_step_request(const StepBenchRequest& r) {
  check_sizes(r);
  for (const Dtype precision : r.precisions) check_options(r, precision);
}

std::vector<const KernelTable*> tables_of(const StepBenchRequest& r) {
  std::vector<const KernelTable*> out;
  for (const std::string& isa : r.isas) out.push_back(&select_isa(isa, r.math));
  for (const IsaState& isa : isas()) {
    if (r.isas.empty() && usable(isa, r.math)) out.push_back(isa.table);
  }
  return out;
}

}  // namespace internal

namespace {

struct Contender {
  std::unique_ptr<StepCase> step;
  std::vector<double> peak, read, update, input;
  std::vector<double> stages[kStepStages];
  bool long_step = false;

  double peak_now() const { return measure_peak(step->kernels(), step->precision(), step->threads()); }

  // The machine's rates, then a warm start: the loops have emptied the caches and let the workers sleep.
  void before(std::span<std::byte> memory) {
    const Bandwidth machine = measure_bandwidth(memory, step->threads());
    read.push_back(machine.read);
    update.push_back(machine.update);
    peak.push_back(peak_now());
    if (long_step) return;
    step->load();
    const double start = seconds_now();
    do step->run();
    while (seconds_now() - start < kWarm);
    long_step = seconds_now() - start > kLongStep;
  }
  void window(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) step->run();
  }
  void after() {
    const StepCase::Stages mean = step->run_clocked(kWarm);
    input.push_back(mean.input);
    for (std::size_t i = 0; i < kStepStages; ++i) stages[i].push_back(mean.step[i]);
    peak.back() = std::max(peak.back(), peak_now());  // what interrupts the loop can only lower it
  }
};

void fill_stages(StepBenchResult& r, const Contender& c, const StepWork& work, const MachineRates& rates) {
  double sum = 0;
  for (std::size_t i = 0; i < kStepStages; ++i) {
    r.stages[i].ns = 1e9 * median(c.stages[i]);
    r.stages[i].bound_ns = bound_ns(work[i], rates);
    r.bound_ns += r.stages[i].bound_ns;
    sum += r.stages[i].ns;
  }
  for (StepStageTime& stage : r.stages) stage.share = stage.ns / sum;
}

StepBenchResult result_of(const StepBenchRequest& request, const Contender& c, const std::vector<double>& seconds) {
  const StepWork work = step_work(request, c.step->precision());
  StepBenchResult r;
  r.precision = c.step->precision();
  r.isa = c.step->kernels().name;
  r.threads = c.step->threads();
  r.median_ns = 1e9 * median(seconds);
  r.samples_per_s = 1e9 * static_cast<double>(request.batch) / r.median_ns;
  r.gflops = total_flop(work) / r.median_ns;
  r.input_ns = 1e9 * median(c.input);
  r.skipped = c.step->skipped();
  r.peak_gflops = median(c.peak);
  r.read_gb_per_s = median(c.read);
  r.update_gb_per_s = median(c.update);
  r.cache_bytes = cache_bytes(r.threads);
  fill_stages(r, c, work, {r.peak_gflops, r.read_gb_per_s, r.update_gb_per_s, r.cache_bytes});
  r.fraction_of_bound = r.bound_ns / r.median_ns;
  return r;
}

}  // namespace

std::vector<StepBenchResult> bench_step(const StepBenchRequest& request) {
  check_step_request(request);
  const std::vector<const KernelTable*> kernels = tables_of(request);
  int most_threads = 1;
  for (const int threads : request.threads) most_threads = std::max(most_threads, threads);
  const ParallelLimit limit(most_threads);
  const data::Examples examples = random_batch(request.batch, request.widths.front(), request.widths.back());
  AlignedBuffer<std::byte> memory(beyond_cache_bytes(most_threads));

  std::vector<std::unique_ptr<StepNetwork>> networks;
  std::vector<Contender> contenders;
  for (const Dtype precision : request.precisions) {
    networks.push_back(std::make_unique<StepNetwork>(request, precision, *kernels.front()));
    for (const KernelTable* table : kernels) {
      for (const int threads : request.threads) {
        contenders.emplace_back().step =
            std::make_unique<StepCase>(*networks.back(), examples, request, *table, threads);
      }
    }
  }
  std::vector<TimedCase> cases;
  for (Contender& c : contenders) {
    cases.push_back({[&](std::size_t) { c.before({memory.data(), memory.size()}); }, 0});
    cases.push_back({[&](std::size_t count) { c.window(count); }});
    cases.push_back({[&](std::size_t) { c.after(); }, 0});
  }
  time_interleaved(cases, request.repetitions);

  std::vector<StepBenchResult> results;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    results.push_back(result_of(request, contenders[i], cases[3 * i + 1].seconds));
  }
  return results;
}

}  // namespace halfstep
