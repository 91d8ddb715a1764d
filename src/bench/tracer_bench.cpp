// What it costs a healthy training step that somebody waits for the steps that are not.
#include <algorithm>
#include <optional>
#include <vector>

#include "base/rng.hpp"
#include "bench/step_case.hpp"
#include "bench/timing.hpp"
#include "doctor/watch.hpp"
#include "halfstep/bench.hpp"
#include "kernels/dispatch.hpp"
#include "parallel/executor.hpp"
#include "run/scaling.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kTracedBatches = 8;   // of an epoch
constexpr std::size_t kUntracedSteps = 64;  // in which a loss scale finds its size
constexpr double kTracedWindow = 0.001;     // seconds of steps: short beside the slices in which others run
constexpr double kTracedSeconds = 3;        // of all windows, where that is not too few
constexpr int kTracedTurns = 20;            // times the repetitions, at most

TrainerConfig tracer_config(const StepBenchRequest& r, Dtype precision) {
  Options options;
  options.precision = precision;
  options.batch = static_cast<std::int64_t>(r.batch);
  TrainerConfig config;
  config.model = {.widths = r.widths, .activation = r.activation, .precision = precision};
  if (r.widths.back() == 1) config.model.loss = LossKind::mse;
  config.optimizer = r.optimizer;
  config.scaler = scaler_options(options);
  config.clip = {.norm = r.clip_norm};
  config.rows = kTracedBatches * r.batch;
  config.batch = r.batch;
  config.schedule = {.kind = ScheduleKind::constant, .lr = 1e-5, .steps = 1};
  return config;
}

// One trainer with and without: the same memory, the same steps.
class Traced {
 public:
  Traced(const StepBenchRequest& request, Dtype precision, const KernelTable& kernels, int threads)
      : examples_(random_batch(kTracedBatches * request.batch, request.widths.front(), request.widths.back())),
        executor_(make_executor(threads)),
        trainer_(kernels, *executor_, tracer_config(request, precision), &examples_) {
    steps(kUntracedSteps);
  }

  void watch(bool on) {
    watch_.reset();
    if (on) watch_.emplace(trainer_, DataWords{}, nullptr, [](Incident&, Capsule&) {});
  }
  void steps(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (trainer_.step().outcome == StepOutcome::skipped) ++skipped_;
    }
  }
  int threads() const { return executor_->threads(); }
  std::int64_t skipped() const { return skipped_; }

 private:
  data::Examples examples_;
  std::unique_ptr<Executor> executor_;
  StepTrainer trainer_;
  std::optional<IncidentWatch> watch_;
  std::int64_t skipped_ = 0;
};

// Seconds of a step in windows with and without, in turns that begin with either by chance.
struct Windows {
  std::vector<double> off, on;
};

Windows take_turns(Traced& traced, int repetitions) {
  const auto timed = [&](std::size_t count) {
    const double start = seconds_now();
    traced.steps(count);
    return seconds_now() - start;
  };
  traced.watch(true);
  std::size_t count = 1;
  while (timed(count) < kTracedWindow) count *= 2;
  const double enough = kTracedSeconds / (2 * timed(count));
  const auto turns = static_cast<int>(std::clamp<double>(enough, repetitions, kTracedTurns * repetitions));
  // In a fixed order either would always meet the same batches of an epoch.
  const Rng coin(1, 1);
  Windows windows;
  for (int turn = 0; turn < turns; ++turn) {
    for (const bool second : {false, true}) {
      const bool on = second != (coin.below(static_cast<std::uint64_t>(turn), 2) == 1);
      traced.watch(on);
      (on ? windows.on : windows.off).push_back(timed(count) / static_cast<double>(count));
    }
  }
  return windows;
}

// What else runs makes steps slower, never faster.
double lower_quartile(std::vector<double> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 4);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

TracerBenchResult measure_tracer(const StepBenchRequest& request, Dtype precision, const KernelTable& kernels,
                                 int threads) {
  Traced traced(request, precision, kernels, threads);
  const Windows windows = take_turns(traced, request.repetitions);
  const double off = lower_quartile(windows.off), on = lower_quartile(windows.on);
  return {.precision = precision,
          .isa = kernels.name,
          .threads = traced.threads(),
          .off_ns = 1e9 * off,
          .on_ns = 1e9 * on,
          .ratio = on / off,
          .skipped = traced.skipped()};
}

}  // namespace

std::vector<TracerBenchResult> bench_tracer(const StepBenchRequest& request) {
  check_step_request(request);
  std::vector<TracerBenchResult> results;
  for (const Dtype precision : request.precisions) {
    for (const KernelTable* table : tables_of(request)) {
      for (const int threads : request.threads) {
        results.push_back(measure_tracer(request, precision, *table, threads));
      }
    }
  }
  return results;
}

}  // namespace halfstep
