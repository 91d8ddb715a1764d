// What it costs a healthy training step that somebody waits for the steps that are not.
#include <optional>

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

constexpr std::size_t kBatches = 8;      // of an epoch
constexpr std::size_t kFirstSteps = 64;  // in which a loss scale finds its size
constexpr double kWindow = 0.03;         // seconds of steps with the tracer, and without

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
  config.rows = kBatches * r.batch;
  config.batch = r.batch;
  config.schedule = {.kind = ScheduleKind::constant, .lr = 1e-5, .steps = 1};
  return config;
}

// One trainer with and without: the same memory, the same steps.
class Traced {
 public:
  Traced(const StepBenchRequest& request, Dtype precision, const KernelTable& kernels, int threads)
      : examples_(random_batch(kBatches * request.batch, request.widths.front(), request.widths.back())),
        executor_(make_executor(threads)),
        trainer_(kernels, *executor_, tracer_config(request, precision), &examples_) {
    steps(kFirstSteps);
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

TracerBenchResult measure_tracer(const StepBenchRequest& request, Dtype precision, const KernelTable& kernels,
                                 int threads) {
  Traced traced(request, precision, kernels, threads);
  std::vector<TimedCase> cases;
  for (const bool on : {false, true}) {
    cases.push_back({[&traced, on](std::size_t) { traced.watch(on); }, 0});
    cases.push_back({[&traced](std::size_t count) { traced.steps(count); }, kWindow});
  }
  time_interleaved(cases, request.repetitions);
  const std::vector<double>&off = cases[1].seconds, &on = cases[3].seconds;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < off.size(); ++i) ratios.push_back(on[i] / off[i]);
  return {.precision = precision,
          .isa = kernels.name,
          .threads = traced.threads(),
          .off_ns = 1e9 * median(off),
          .on_ns = 1e9 * median(on),
          .ratio = median(ratios),
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
