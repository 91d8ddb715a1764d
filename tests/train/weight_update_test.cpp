// An update that is left to the next forward pass: the bits are those of one that is done at once.
#include <doctest/doctest.h>

#include <atomic>
#include <cstring>

#include "support/isa_loop.hpp"
#include "support/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// Steps with a skipped one among them; what they leave must be the same.
void compare(const KernelTable& kernels, const Setting& setting, int threads) {
  const Examples good(49, setting.widths.front(), setting.widths.back());
  Examples bad = good;
  bad.x[7] = kInf;
  Bench at_once(kernels, setting), left(kernels, setting, make_executor(threads));
  left.step.leave_updates(0);
  for (const Examples* e : std::initializer_list<const Examples*>{&good, &good, &bad, &good, &good}) {
    const StepReport a = at_once.run(*e), b = left.run(*e);
    CHECK(a.applied == b.applied);
    CHECK(a.applied == (e == &good));
    if (!a.applied) continue;  // its loss is NaN
    CHECK(a.loss == b.loss);
    CHECK(a.grad_norm == b.grad_norm);
  }
  CHECK(at_once.state() != left.state());  // something is left
  left.step.finish_update();
  CHECK(at_once.state() == left.state());
  left.step.finish_update();
  CHECK(at_once.state() == left.state());
}

TEST_CASE("weight update: left to the forward pass, it gives the same bits") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      for (int threads : {1, 2}) {
        Setting setting;
        setting.dtype = dtype;
        setting.clip.norm = 0.1;
        setting.widths = {70, 140, 50, 20};
        INFO("dtype ", std::string(name(dtype)), " ISA ", std::string(kernels.name), " threads ", threads);
        compare(kernels, setting, threads);
      }
    }
  });
}

TEST_CASE("weight update: left with normalisation, 16-bit moments and other optimizers") {
  const KernelTable& kernels = select_isa();
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::lion, OptimizerKind::adamw}) {
    for (Norm norm : {Norm::none, Norm::layer, Norm::batch}) {
      Setting setting;
      setting.optimizer = {.kind = kind, .moments = Dtype::bf16};
      setting.norm = norm;
      setting.dropout = norm == Norm::layer ? 0.2 : 0;
      INFO("optimizer ", static_cast<int>(kind), " norm ", static_cast<int>(norm));
      compare(kernels, setting, 2);
    }
  }
}

TEST_CASE("weight update: a step in parts takes what is left in its first one") {
  const Examples all(217, 30, 4);
  const Setting setting;
  Bench at_once(select_isa(), setting), left(select_isa(), setting);
  left.step.leave_updates(0);
  for (int i = 0; i < 3; ++i) {
    for (Bench* bench : {&at_once, &left}) {
      auto load = [&](std::size_t first, std::size_t rows, Activations&) {
        Examples part(rows, all.inputs, all.outputs);
        std::memcpy(part.x.data(), all.x.data() + first * all.inputs, rows * all.inputs * sizeof(float));
        set_input(bench->model, part);
      };
      CHECK(bench->step.run({all.rows, all.targets(), 48, load}, 0.01).applied);
    }
  }
  left.step.finish_update();
  CHECK(at_once.state() == left.state());
}

// However few tiles there are, and where there are none at all.
TEST_CASE("side tasks: each runs once, whatever the product") {
  const KernelTable& kernels = select_isa();
  const auto executor = make_executor(2);
  GemmContext context(kernels, *executor);
  for (std::size_t rows : {2u, 50u, 300u}) {
    for (std::size_t out : {10u, 200u}) {
      for (std::size_t count : {1u, 3u, 1000u}) {
        Network model({.widths = {40, out, 4}, .dtype = Dtype::bf16, .max_rows = 300});
        model.initialise(1, kernels);
        std::vector<std::atomic<int>> runs(count);
        std::vector<std::atomic<int>> asked(count);
        const std::vector<float> array(5000);
        auto run = [&](std::size_t task) { ++runs[task]; };
        auto reads = [&](std::size_t task, MemoryRanges& ranges) {
          CHECK(runs[task] == 0);
          ++asked[task];
          ranges = {};
          ranges[0] = {array.data(), task % 2 == 0 ? array.size() * sizeof(float) : 0};
          ranges[5] = {array.data(), 64};
        };
        const SideTasks side = {count, run, reads};
        model.forward(context, rows, {}, {&side, 1});
        INFO("rows ", rows, " out ", out, " count ", count);
        for (std::size_t i = 0; i < count; ++i) {
          CHECK(runs[i] == 1);
          // Not asked about where they run by themselves.
          const bool many_tiles = rows == 300 && out == 200;
          CHECK((many_tiles ? asked[i] == 1 : asked[i] <= 1));
        }
      }
    }
  }
}

}  // namespace
