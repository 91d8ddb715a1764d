// A step that is saved in the middle of a run and loaded into fresh objects goes on as if nothing had happened.
#include <doctest/doctest.h>

#include "support/isa_loop.hpp"
#include "support/step.hpp"
#include "train/last_good.hpp"
#include "train/ledger.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// All that a run of steps keeps, as one object.
struct Run {
  Bench bench;
  LastGood last_good;
  Ledger ledger;
  StepMeter meter;

  Run(const KernelTable& kernels, const Setting& setting, int threads)
      : bench(kernels, setting, make_executor(threads)), last_good(bench.model), meter(bench.model) {
    bench.step.leave_updates(0);
  }

  void visit_state(StateVisitor& v) {
    auto visit = [&](const char* name, auto& object) {
      const StateVisitor::Group group(v, name);
      object.visit_state(v);
    };
    visit("network", bench.model);
    visit("optimizer", *bench.optimizer);
    visit("scaler", bench.scaler);
    visit("step", bench.step);
    visit("clock", bench.clock);
    visit("last_good", last_good);
    visit("ledger", ledger);
    visit("meter", meter);
  }
  State state() {
    bench.step.finish_update();
    return save_state(*this);
  }

  // Steps on batches of their own, with one that overflows now and then.
  void steps(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      Examples e(40 + static_cast<std::size_t>(i % 7), bench.setting.widths.front(), bench.setting.widths.back());
      for (float& x : e.x) x *= static_cast<float>(1 + i % 5);
      if (i % 11 == 5) e.x[3] = kInf;
      set_input(bench.model, e);
      const StepReport report = bench.step.run(e.rows, e.targets(), 0.003, i % 10 == 9 ? &meter : nullptr);
      StepRecord record;
      record.step = bench.clock.attempted;
      record.outcome = report.applied ? StepOutcome::applied : StepOutcome::skipped;
      record.cause = report.incident.cause;
      if (!report.applied) record.tensors = bench.step.tensors_of(report.incident);
      record.loss_scale = static_cast<double>(report.loss_scale);
      ledger.add(record);
      if (report.applied && last_good.due(report.loss)) {
        bench.step.finish_update();
        last_good.keep(bench.model, bench.clock.applied);
      }
    }
  }
};

void check_resume(const KernelTable& kernels, const Setting& setting, int threads) {
  Run straight(kernels, setting, threads);
  straight.steps(0, 70);
  const State middle = straight.state();
  Run resumed(kernels, setting, threads);
  resumed.bench.model.initialise(99, kernels);  // nothing of its own may be left
  resumed.steps(3, 4);
  resumed.bench.step.finish_update();
  load_state(resumed, middle);
  resumed.bench.model.loaded(kernels);
  CHECK(differing(resumed.state(), middle).empty());
  straight.steps(70, 100);
  resumed.steps(70, 100);
  const std::vector<std::string> differ = differing(straight.state(), resumed.state());
  CHECK_MESSAGE(differ.empty(), differ.front());
  CHECK(straight.bench.state() == resumed.bench.state());
  CHECK(middle.find("ledger.entries.0.cause") != nullptr);  // some steps were skipped
}

TEST_CASE("state: a run saved in the middle and loaded goes on with the same bits") {
  const KernelTable& kernels = select_isa();
  Setting plain;
  Setting scaled;
  scaled.dtype = Dtype::fp16;
  scaled.scaler = {.initial = 0x1p15f, .growth_interval = 13, .hysteresis = 2};
  scaled.clip.norm = 0.5;
  scaled.norm = Norm::layer;
  Setting headroom = scaled;
  headroom.headroom = Headroom();
  headroom.norm = Norm::batch;
  headroom.dropout = 0.2;
  Setting kahan;
  kahan.optimizer = {.kind = OptimizerKind::adamw, .moments = Dtype::bf16, .master = MasterKind::kahan};
  kahan.widths = {30, 64, 64, 4};
  kahan.residual = true;
  Setting stochastic;
  stochastic.optimizer = {.kind = OptimizerKind::lion, .moments = Dtype::bf16, .master = MasterKind::stochastic};
  stochastic.dropout = 0.3;
  Setting sgd;
  sgd.optimizer = {.kind = OptimizerKind::sgd, .nesterov = true};
  sgd.dtype = Dtype::fp32;
  sgd.norm = Norm::rms;
  Setting muon;
  muon.optimizer = {.kind = OptimizerKind::muon, .moments = Dtype::bf16};
  for (const Setting& setting : {plain, scaled, headroom, kahan, stochastic, sgd, muon}) {
    for (int threads : {1, 2}) {
      CAPTURE(threads);
      CAPTURE(name(setting.optimizer.kind));
      CAPTURE(name(setting.dtype));
      check_resume(kernels, setting, threads);
    }
  }
}

TEST_CASE("state: of another network or optimizer is refused") {
  const KernelTable& kernels = select_isa();
  Setting wide;
  wide.widths = {30, 64, 33, 4};
  Setting lion;
  lion.optimizer.kind = OptimizerKind::lion;
  Run run(kernels, {}, 1);
  const State before = run.state();
  for (const Setting& other : {wide, lion}) {
    Run stranger(kernels, other, 1);
    CHECK_THROWS_AS(load_state(run, stranger.state()), Error);
    CHECK(run.state() == before);
  }
}

TEST_CASE("state: headroom refuses a move of no bits, which would never end") {
  Headroom headroom;
  for (const char* name : {"bits", "window"}) {
    State state = save_state(headroom);
    for (StateEntry& e : state.entries) {
      if (e.name == name) std::fill(e.bytes.begin(), e.bytes.end(), std::byte{0});
    }
    CHECK_THROWS_AS(load_state(headroom, state), Error);
  }
}

TEST_CASE("state: a scaler refuses the numbers of none") {
  GradScaler scaler(GradScalerOptions{});
  State state = save_state(scaler);
  const double zero = 0;
  for (StateEntry& e : state.entries) {
    if (e.name == "scale") std::memcpy(e.bytes.data(), &zero, sizeof zero);
  }
  CHECK_THROWS_AS(load_state(scaler, state), Error);
  CHECK(scaler.scale() == 65536);
}

}  // namespace
