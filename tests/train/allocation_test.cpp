// A training step takes all its memory when it is built: counted on every thread.
#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "kernels/dispatch.hpp"
#include "support/effort.hpp"
#include "support/failing_new.hpp"
#include "support/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kRows = 256, kIn = 30, kOut = 4;
const int kSteps = test_effort() < 1 ? 8 : 40;  // that are counted

// Rows of one batch again and again, as a whole or in parts.
struct Run {
  Bench bench;
  Examples examples;
  std::size_t part_rows;
  int reruns = 0;  // of backward passes
  int applied = 0;

  Run(const Setting& setting, int threads, std::size_t part)
      : bench(select_isa("auto"), setting, make_executor(threads)), examples(kRows, kIn, kOut), part_rows(part) {
    set_input(bench.model, examples);
  }
  void steps(int count) {
    // What is in the buffer stays there: a part learns from the first rows again.
    const StepExamples batch = {kRows, examples.targets(), part_rows, [](std::size_t, std::size_t, Activations&) {}};
    for (int i = 0; i < count; ++i) {
      const StepReport report = bench.step.run(batch, 1e-3);
      reruns += report.reruns;
      applied += report.applied ? 1 : 0;
    }
  }
};

// Blocks that some thread takes during the steps after the first three.
long taken_by_steps(Run& run) {
  run.steps(3);
  run.reruns = run.applied = 0;
  const long before = allocations().taken;
  run.steps(kSteps);
  return allocations().taken - before;
}

Setting setting_of(Dtype dtype, Norm norm) {
  Setting setting;
  setting.dtype = dtype;
  setting.norm = norm;
  setting.clip.norm = 1;
  setting.widths = {kIn, 200, 136, kOut};  // large enough that products are shared among threads
  return setting;
}

// A compiler may leave out what nobody sees.
void show(const void* memory) { asm volatile("" : : "g"(memory) : "memory"); }

void take_vector() {
  const std::vector<float> vector(5);
  show(vector.data());
}

TEST_CASE("allocations: the counter sees those of buffers, vectors and other threads") {
  const auto taken_by = [](auto take) {
    const long before = allocations().taken;
    take();
    return allocations().taken - before;
  };
  CHECK(taken_by([] { const AlignedBuffer<float> buffer(5); }) == 1);
  CHECK(taken_by(take_vector) == 1);
  const auto executor = make_executor(2, "threads");
  const long by_others = taken_by([&] { executor->run(2, [](std::size_t, int) { take_vector(); }); });
  CHECK(by_others == 2);
}

TEST_CASE("allocations: none in a training step") {
  for (const int threads : {1, 2, 3}) {
    for (const Norm norm : {Norm::none, Norm::layer, Norm::rms, Norm::batch}) {
      for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
        if (test_effort() < 1 && static_cast<int>(dtype) != static_cast<int>(norm) % 3) continue;
        for (const std::size_t part : {kRows, std::size_t{100}}) {
          Setting setting = setting_of(dtype, norm);
          setting.dropout = norm == Norm::none ? 0.1 : 0;
          setting.clip.value = part < kRows ? 0.5 : 0;
          Run run(setting, threads, part);
          CAPTURE(threads);
          CAPTURE(name(norm));
          CAPTURE(name(dtype));
          CAPTURE(part);
          CHECK(taken_by_steps(run) == 0);
          CHECK(run.applied == kSteps);
        }
      }
    }
  }
}

TEST_CASE("allocations: none where an overflow is repaired within the step") {
  for (const int threads : {1, 2}) {
    for (const std::size_t part : {kRows, std::size_t{100}}) {
      Setting setting = setting_of(Dtype::fp16, Norm::none);
      setting.scaler = {.dynamic = true, .initial = 0x1p30, .maximum = 0x1p30f};
      setting.headroom = Headroom();
      Run run(setting, threads, part);
      run.steps(1);
      run.reruns = 0;
      const long before = allocations().taken;
      for (int i = 0; i < 10; ++i) {
        run.bench.scaler.set_scale(0x1p30f);
        run.steps(1);
      }
      const long taken = allocations().taken - before;
      CHECK(taken == 0);
      CHECK(run.reruns >= 10);
    }
  }
}

TEST_CASE("allocations: none where updates wait for the next forward pass, and none with 16-bit masters") {
  for (const int threads : {1, 2}) {
    for (const MasterKind master : {MasterKind::fp32, MasterKind::kahan, MasterKind::stochastic}) {
      Setting setting = setting_of(Dtype::bf16, Norm::none);
      setting.optimizer.master = master;
      setting.residual = true;
      setting.widths = {kIn, 200, 200, kOut};
      Run run(setting, threads, kRows);
      run.bench.step.leave_updates(0);
      CHECK(taken_by_steps(run) == 0);
      run.bench.step.finish_update();
    }
  }
}

TEST_CASE("allocations: none where muon updates matrices as a whole") {
  for (const int threads : {1, 2}) {
    Setting setting = setting_of(Dtype::bf16, Norm::none);
    setting.optimizer.kind = OptimizerKind::muon;
    Run run(setting, threads, kRows);
    CHECK(taken_by_steps(run) == 0);
  }
}

}  // namespace
