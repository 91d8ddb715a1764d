// What the step benchmark counts, and that what it times is a training step.
#include <doctest/doctest.h>

#include <limits>

#include "bench/caches.hpp"
#include "bench/step_bound.hpp"
#include "bench/step_case.hpp"
#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

StepBenchRequest small() {
  StepBenchRequest r;
  r.widths = {3, 5, 4, 2};
  r.batch = 6;
  r.precisions = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
  r.isas = {"scalar"};
  r.threads = {1, 2};
  r.repetitions = 1;
  return r;
}

// P = 15 + 20 + 8 = 43, P' = 28, A = 6 * 9 = 54.
StageWork work_of(StepStage stage, const StepBenchRequest& request, Dtype precision = Dtype::bf16) {
  return step_work(request, precision)[static_cast<std::size_t>(stage)];
}

void check_work(const StageWork& work, double flop, double read, double written) {
  CHECK(work.flop == flop);
  CHECK(work.read == read);
  CHECK(work.written == written);
}

Status refused(const StepBenchRequest& request) {
  try {
    bench_step(request);
  } catch (const Error& error) {
    return error.status();
  }
  return Status::ok;
}

}  // namespace

TEST_CASE("step bench: flop and bytes of each stage, counted by hand") {
  const StepBenchRequest r = small();
  check_work(work_of(StepStage::forward, r), 516, 2 * (18 + 43), 2 * 54 + 48);
  check_work(work_of(StepStage::loss, r), 0, 48, 24);
  check_work(work_of(StepStage::input_gradient, r), 336, 2 * (12 + 28 + 54), 108);
  check_work(work_of(StepStage::weight_gradient, r), 516, 2 * (18 + 108 + 12), 172);
  check_work(work_of(StepStage::bias_gradient, r), 0, 0, 0);
  check_work(work_of(StepStage::summarise, r), 0, 0, 0);
  check_work(work_of(StepStage::update, r), 0, 172 + 172 + 344, 172 + 344 + 2 * (43 + 28));
  CHECK(total_flop(step_work(r, Dtype::bf16)) == 516 + 336 + 516);
  check_work(work_of(StepStage::forward, r, Dtype::fp32), 516, 4 * (18 + 43), 4 * 54 + 48);
}

TEST_CASE("step bench: the options change what must be moved") {
  StepBenchRequest r = small();
  r.activation = Activation::gelu;  // its input is kept beside its output
  CHECK(work_of(StepStage::forward, r).written == 2 * 108 + 48);
  r.clip_norm = 0;  // gradients need not wait, but in fp16 for the check
  CHECK(work_of(StepStage::weight_gradient, r).written == 0);
  CHECK(work_of(StepStage::update, r).read == 172 + 344);
  CHECK(work_of(StepStage::weight_gradient, r, Dtype::fp16).written == 172);
  r.clip_norm = 1;
  r.optimizer = {.kind = OptimizerKind::sgd, .moments = Dtype::bf16, .master = MasterKind::kahan};
  check_work(work_of(StepStage::update, r), 0, 172 + 86 + 86 + 86, 86 + 86 + 86 + 2 * 28);
  r.optimizer = {.kind = OptimizerKind::sgd, .momentum = 0};
  check_work(work_of(StepStage::update, r), 0, 172 + 172, 172 + 2 * 71);
  r.optimizer = {.kind = OptimizerKind::lion};
  check_work(work_of(StepStage::update, r), 0, 3 * 172, 2 * 172 + 2 * 71);
}

TEST_CASE("step bench: the bound is what takes longest, after what the caches hold") {
  const MachineRates memory = {.gflops = 10, .read_gb_per_s = 2, .update_gb_per_s = 4, .cache_bytes = 0};
  MachineRates cached = memory;
  CHECK(bound_ns({1000, 600, 0}, memory) == 300);
  CHECK(bound_ns({4000, 600, 0}, memory) == 400);
  CHECK(bound_ns({1000, 0, 1000}, memory) == 250);
  CHECK(bound_ns({1000, 600, 1000}, memory) == 400);
  cached.cache_bytes = 200;
  CHECK(bound_ns({1000, 600, 1000}, cached) == 300);
  CHECK(bound_ns({1000, 600, 100}, cached) == 200);
  cached.cache_bytes = 1000;
  CHECK(bound_ns({1000, 600, 1000}, cached) == 100);
  cached.cache_bytes = std::numeric_limits<double>::infinity();
  CHECK(bound_ns({1000, 600, 1000}, cached) == 100);
}

TEST_CASE("step bench: more threads never have less cache") {
  CHECK(cache_bytes(1) > 0);
  CHECK(cache_bytes(2) >= cache_bytes(1));
  CHECK(cache_bytes(1024) >= cache_bytes(2));
}

TEST_CASE("step bench: every contender in order, with fields that fit together") {
  const StepBenchRequest r = small();
  const std::vector<StepBenchResult> results = bench_step(r);
  REQUIRE(results.size() == 6);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const StepBenchResult& result = results[i];
    INFO("result " << i);
    CHECK(result.precision == r.precisions[i / 2]);
    CHECK(result.threads == r.threads[i % 2]);
    CHECK(result.isa == "scalar");
    CHECK(result.median_ns > 0);
    CHECK(result.samples_per_s * result.median_ns == doctest::Approx(6e9));
    CHECK(result.gflops * result.median_ns == doctest::Approx(1368));
    CHECK(result.input_ns > 0);
    CHECK(result.peak_gflops > 0);
    CHECK(result.read_gb_per_s > 0);
    CHECK(result.update_gb_per_s > 0);
    CHECK(result.bound_ns > 0);
    CHECK(result.fraction_of_bound * result.median_ns == doctest::Approx(result.bound_ns));
    if (result.precision != Dtype::fp16) CHECK(result.skipped == 0);
    double share = 0, bound = 0;
    for (const StepStageTime& stage : result.stages) {
      CHECK(stage.share >= 0);
      share += stage.share;
      bound += stage.bound_ns;
    }
    CHECK(share == doctest::Approx(1));
    CHECK(bound == doctest::Approx(result.bound_ns));
    CHECK(result.stages[static_cast<std::size_t>(StepStage::forward)].share > 0);
  }
}

TEST_CASE("step bench: what is timed trains, with and without the clock") {
  test::for_each_runnable_isa([](const KernelTable& kernels) {
    for (const Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
      const StepBenchRequest r = small();
      StepNetwork network(r, precision, kernels);
      const data::Examples examples = random_batch(r.batch, 3, 2);
      StepCase step(network, examples, r, kernels, 1);
      CHECK(&step.kernels() == &kernels);
      CHECK(step.precision() == precision);
      const float before = network.model.parameters()[0]->master[0];
      step.run();
      const float after = network.model.parameters()[0]->master[0];
      CHECK(after != before);
      const StepCase::Stages mean = step.run_clocked(0);
      CHECK(network.model.parameters()[0]->master[0] != after);
      CHECK(network.optimizer->steps() == 2);
      CHECK(step.skipped() == 0);
      CHECK(mean.input > 0);
    }
  });
}

TEST_CASE("step bench: a batch of ordinary numbers and of every label") {
  const data::Examples examples = random_batch(4100, 3, 2);
  REQUIRE(examples.x.size() == 12300);
  REQUIRE(examples.labels.size() == 4100);
  for (const float x : examples.x) REQUIRE((x >= -1 && x < 1));
  std::size_t ones = 0;
  for (const std::int32_t label : examples.labels) {
    REQUIRE((label == 0 || label == 1));
    ones += static_cast<std::size_t>(label);
  }
  CHECK(ones > 1000);
  CHECK(ones < 3100);
}

TEST_CASE("step bench: what makes no network is refused") {
  auto with = [](auto change) {
    StepBenchRequest r = small();
    change(r);
    return refused(r);
  };
  CHECK(with([](StepBenchRequest& r) { r.widths = {}; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.widths = {5}; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.widths = {5, 0, 2}; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.widths = {5, 1048577, 2}; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.widths.assign(300, 1); }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.widths = {1048576, 1048576, 2}; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.batch = 0; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.batch = std::size_t{1} << 62; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.clip_norm = std::numeric_limits<double>::quiet_NaN(); }) ==
        Status::invalid_argument);
  // fp32 weights are their own masters.
  CHECK(with([](StepBenchRequest& r) { r.optimizer.master = MasterKind::kahan; }) == Status::invalid_argument);
  CHECK(with([](StepBenchRequest& r) { r.isas = {"nonsense"}; }) == Status::unsupported);
}
