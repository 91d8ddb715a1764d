// A step in parts: what it learns, skips and repairs is what one batch of all rows would.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/isa_loop.hpp"
#include "support/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kInputs = 30, kOutputs = 4;

Examples part_of(const Examples& all, std::size_t first, std::size_t rows) {
  Examples part(rows, all.inputs, all.outputs);
  std::copy_n(all.x.begin() + static_cast<std::ptrdiff_t>(first * all.inputs), rows * all.inputs, part.x.begin());
  return part;
}

StepReport run_in_parts(Bench& bench, const Examples& all, std::size_t part_rows) {
  auto load = [&](std::size_t first, std::size_t rows, Activations&) {
    set_input(bench.model, part_of(all, first, rows));
  };
  return bench.step.run({all.rows, all.targets(), part_rows, load, bench.model.least_rows()}, 0.01);
}

// Column sums and losses are taken in chunks of 48 rows, so parts of as many add up in the order of the whole.
TEST_CASE("accumulation: parts of whole chunks give the bits of one batch") {
  const Examples all(217, kInputs, kOutputs);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      for (LossKind loss : {LossKind::cross_entropy, LossKind::mse}) {
        Setting setting;
        setting.dtype = dtype;
        setting.loss = loss;
        setting.norm = loss == LossKind::mse ? Norm::layer : Norm::none;
        setting.clip = {.norm = 0.1, .value = 0.01};
        Bench whole(kernels, setting), parts(kernels, setting);
        for (int i = 0; i < 3; ++i) {
          const StepReport a = whole.run(all), b = run_in_parts(parts, all, 48);
          CHECK(a.applied);
          CHECK(b.applied);
          CHECK(a.loss == b.loss);
          CHECK(a.grad_norm == b.grad_norm);
        }
        INFO("dtype ", std::string(name(dtype)), " ISA ", std::string(kernels.name));
        CHECK(whole.state() == parts.state());
      }
    }
  });
}

TEST_CASE("accumulation: parts of any size are near to one batch") {
  const Examples all(97, kInputs, kOutputs);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (std::size_t rows : {1u, 2u, 3u, 32u, 96u, 97u, 200u}) {
      Setting setting;
      setting.dtype = Dtype::fp32;
      setting.optimizer.kind = OptimizerKind::sgd;
      Bench whole(kernels, setting), parts(kernels, setting);
      const StepReport a = whole.run(all), b = run_in_parts(parts, all, rows);
      INFO("rows ", rows, " ISA ", std::string(kernels.name));
      CHECK(b.loss == doctest::Approx(a.loss).epsilon(1e-6));
      CHECK(b.grad_norm == doctest::Approx(a.grad_norm).epsilon(1e-5));
    }
  });
}

TEST_CASE("accumulation: a bad row in any part skips the step and is found there") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (std::size_t row : {3u, 70u, 144u}) {
      Setting setting;
      setting.norm = Norm::batch;
      Bench bench(kernels, setting);
      Examples all(145, kInputs, kOutputs);  // the last part is no single row
      CHECK(run_in_parts(bench, all, 48).applied);
      const auto before = bench.state();
      all.x[row * kInputs + 5] = kInf;
      const StepReport report = run_in_parts(bench, all, 48);
      CHECK_FALSE(report.applied);
      CHECK(report.incident.cause == StepCause::data);
      CHECK(bench.step.tensors_of(report.incident).front() == "input");
      CHECK(bench.state() == before);
      CHECK(bench.optimizer->steps() == 1);
    }
  });
}

TEST_CASE("accumulation: each finite, the sum not: the gradient is named") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Setting setting;
    setting.dtype = Dtype::fp32;
    setting.optimizer = {.kind = OptimizerKind::sgd};
    setting.loss = LossKind::mse;
    setting.widths = {kInputs, kOutputs};
    Examples all(96, kInputs, kOutputs);
    // 96 rows of a gradient of 2^126 or so each, divided by their number and that of the outputs.
    for (float& x : all.x) x = 0x1p100f;
    for (float& v : all.values) v = -0x1p28f;
    setting.scaler = {.dynamic = false, .initial = 0.5};
    double scale = 0.5;
    bool seen = false;
    for (int i = 0; i < 12 && !seen; ++i, scale *= 2) {
      setting.scaler.initial = scale;
      Bench bench(kernels, setting);
      const auto before = bench.state();
      const StepReport report = run_in_parts(bench, all, 48);
      if (report.applied) continue;
      CHECK(bench.state() == before);
      seen = report.incident.cause == StepCause::gradient;
    }
    CHECK(seen);
  });
}

TEST_CASE("accumulation: headroom repairs a step in parts, batches and masks count once") {
  const Examples all(144, kInputs, kOutputs);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Setting setting;
    setting.dtype = Dtype::fp16;
    setting.norm = Norm::batch;
    setting.dropout = 0.25;
    setting.scaler = {.initial = 0x1p30f, .maximum = 0x1p30f};
    setting.headroom = Headroom();
    Bench repaired(kernels, setting);
    const StepReport report = run_in_parts(repaired, all, 48);
    CHECK(report.applied);
    CHECK(report.reruns >= 2);
    CHECK(report.incident.cause == StepCause::scale);
    setting.headroom.reset();
    setting.scaler = {.dynamic = false, .initial = static_cast<double>(report.loss_scale)};
    Bench still(kernels, setting);
    CHECK(run_in_parts(still, all, 48).applied);
    CHECK(repaired.state() == still.state());
  });
}

}  // namespace
