// A step that went non-finite, run again: its bits on every ISA and any number of threads, in other precisions, with
// layers lifted; and the capsule that it comes from, as a file.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "base/rng.hpp"
#include "doctor/bisect.hpp"
#include "doctor/replay.hpp"
#include "doctor/row_gradients.hpp"
#include "doctor/signals.hpp"
#include "halfstep/diagnosis.hpp"
#include "halfstep/error.hpp"
#include "halfstep/trainer.hpp"
#include "io/temp_dir.hpp"
#include "kernels/dispatch.hpp"
#include "run/capsule_file.hpp"
#include "support/isa_loop.hpp"

namespace halfstep::internal::replays {
namespace {

constexpr std::size_t kRows = 37, kInputs = 19, kClasses = 3;

struct Rows {
  std::vector<float> x;
  std::vector<std::int32_t> labels;
};

Rows some_rows(std::size_t count) {
  Rows r;
  const Rng rng(3, 1);
  for (std::size_t i = 0; i < count * kInputs; ++i) r.x.push_back(rng.normal(i));
  for (std::size_t i = 0; i < count; ++i) r.labels.push_back(static_cast<std::int32_t>(i % kClasses));
  return r;
}

struct Case {
  const char* name;
  ModelSpec spec;
  const char* scale;
};

ModelSpec spec_of(const std::function<void(ModelSpec&)>& change) {
  ModelSpec spec = {.widths = {kInputs, 24, 24, kClasses}, .precision = Dtype::fp16};
  change(spec);
  return spec;
}

std::vector<Case> cases() {
  return {
      {"plain", spec_of([](ModelSpec&) {}), "16777216"},
      {"gelu, layer norm, skip", spec_of([](ModelSpec& s) {
         s.activation = Activation::gelu;
         s.norm = Norm::layer;
         s.residual = true;
       }),
       "16777216"},
      {"batch norm, dropout", spec_of([](ModelSpec& s) {
         s.norm = Norm::batch;
         s.dropout = 0.25;
       }),
       "16777216"},
      {"gated", spec_of([](ModelSpec& s) { s.layer = "gated"; }), "16777216"},
  };
}

// What a trainer keeps of its first step, at a scale at which fp16 overflows.
std::vector<std::byte> capsule_of_step(const Case& c, std::int64_t batch, const std::string& isa, int threads,
                                       std::size_t count = kRows) {
  Options options;
  options.loss_scale = count == kRows ? c.scale : "4294967296";  // the mean over more rows has smaller gradients
  options.batch = batch;
  options.threads = threads;
  options.isa = isa;
  Trainer trainer(c.spec, options);
  int heard = 0;
  trainer.on_incident([&](const Incident& i) {
    ++heard;
    CHECK(i.step == 1);
    CHECK(i.cause == StepCause::scale);
  });
  const Rows r = some_rows(count);
  CHECK(trainer.step({r.x, r.labels, {}}).outcome == StepOutcome::skipped);
  CHECK(heard == 1);
  return trainer.capsule();
}

SavedCapsule load(const test::TempDir& dir, const std::vector<std::byte>& bytes) {
  const std::string path = dir / "capsule.safetensors";
  test::write_bytes(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return load_capsule(path);
}

}  // namespace

TEST_CASE("doctor: a capsule gives the bits of its step on every ISA and at any thread count") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    // Whole, in batches of which the last has five rows, and in as many parts as rows go through a network together.
    const std::pair<std::int64_t, std::size_t> steps[] = {{64, kRows}, {8, kRows}, {2500, 2411}};
    for (const auto& step : steps) {
      CAPTURE(step.first);
      const test::TempDir dir;
      const SavedCapsule saved = load(dir, capsule_of_step(c, step.first, "auto", 1, step.second));
      test::for_each_runnable_isa([&](const KernelTable& kernels) {
        for (const int threads : {1, 3}) {
          const auto executor = make_executor(threads, "");
          const Replay replay = replay_step(saved.capsule, kernels, *executor);
          CHECK(replay.same_bits);
          REQUIRE(replay.runs.size() == 4);
          CHECK_FALSE(replay.runs[0].finite);
          CHECK(replay.runs[1].finite);  // fp32
          CHECK(replay.runs[2].finite);  // bf16
          CHECK_FALSE(replay.runs[3].finite);
          CHECK(replay.first_different == replay.runs[0].tensor);
        }
      });
    }
  }
}

TEST_CASE("doctor: a capsule that was changed has other bits") {
  const test::TempDir dir;
  SavedCapsule saved = load(dir, capsule_of_step(cases().front(), 64, "auto", 1));
  saved.capsule.x[5] += 0.25f;
  const auto executor = make_executor(1, "serial");
  test::for_each_runnable_isa(
      [&](const KernelTable& kernels) { CHECK_FALSE(replay_step(saved.capsule, kernels, *executor).same_bits); });
}

TEST_CASE("doctor: the scale that bisecting finds is the largest that fits, and the layers are those that overflow") {
  const test::TempDir dir;
  const auto executor = make_executor(1, "serial");
  const SavedCapsule saved = load(dir, capsule_of_step(cases().front(), 64, "auto", 1));
  const KernelTable& kernels = select_isa();
  const Bisection b = bisect(saved.capsule, kernels, *executor);
  REQUIRE(b.loss_scale > 0);
  CHECK_FALSE(b.lift_helps);  // nothing has to be lifted where the scale can fall
  Rerun rerun(saved.capsule, saved.capsule.model, kernels, *executor);
  CHECK(rerun.run(static_cast<float>(b.loss_scale)).applied);
  CHECK_FALSE(rerun.run(static_cast<float>(2 * b.loss_scale)).applied);
  CHECK(b.text.find(std::to_string(static_cast<std::int64_t>(b.loss_scale))) != std::string::npos);

  // An activation that no scale can shrink: the second layer's weights make its output overflow, and the layer that
  // reads that output has to be lifted.
  SavedCapsule large = saved;
  large.capsule.loss_scale = 1;
  for (NamedTensor& t : large.capsule.tensors) {
    if (t.name != "layers.1.weight") continue;
    for (float& v : t.values) v *= 30000;
  }
  large.capsule.cause = StepCause::forward;
  const Bisection lifted = bisect(large.capsule, kernels, *executor);
  REQUIRE(lifted.lift_helps);
  CHECK(lifted.lift.front().precision == Dtype::bf16);
  ModelSpec model = large.capsule.model;
  model.layer_precision.assign(3, Dtype::fp16);
  for (const LayerPrecision& l : lifted.lift) model.layer_precision[static_cast<std::size_t>(l.layer)] = l.precision;
  Rerun mended(large.capsule, model, kernels, *executor);
  CHECK(mended.run(lifted.loss_scale > 0 ? static_cast<float>(lifted.loss_scale) : 1).applied);
}

// The norm of a row's gradient by all weights and biases, from a step of that row alone.
TEST_CASE("doctor: the gradient norm of a row is that of a step of that row alone") {
  const test::TempDir dir;
  SavedCapsule saved = load(dir, capsule_of_step(cases().front(), 64, "auto", 1));
  Capsule& c = saved.capsule;
  c.model.precision = Dtype::fp32;
  c.model.layer_precision.clear();
  c.loss_scale = 1;
  const auto executor = make_executor(1, "serial");
  const KernelTable& kernels = select_isa();
  Rerun all(c, c.model, kernels, *executor);
  CHECK(all.run().applied);
  const std::vector<RowGradient> found = row_gradients(all, kRows);
  REQUIRE(found.size() == kRows);
  double shares = 0;
  for (const RowGradient& g : found) {
    shares += g.share;
    Capsule one = c;
    const auto row = static_cast<std::size_t>(g.row);
    one.rows = 1;
    one.x.assign(c.x.begin() + static_cast<std::ptrdiff_t>(row * kInputs),
                 c.x.begin() + static_cast<std::ptrdiff_t>((row + 1) * kInputs));
    one.labels = {c.labels[row]};
    Rerun alone(one, one.model, kernels, *executor);
    // The mean over one row has kRows times the weight that the row has in the mean over all.
    CHECK(alone.run().grad_norm == doctest::Approx(g.norm * kRows).epsilon(1e-4));
  }
  CHECK(shares == doctest::Approx(1));
  CHECK(found.front().norm >= found.back().norm);
}

TEST_CASE("doctor: a capsule that is cut off, or has a bit flipped, is refused") {
  const test::TempDir dir;
  const std::vector<std::byte> bytes = capsule_of_step(cases().front(), 64, "auto", 1);
  const std::string whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string path = dir / "capsule.safetensors";
  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 61) {
    test::write_bytes(path, whole.substr(0, size));
    CHECK_THROWS_AS(load_capsule(path), Error);
  }
  for (std::size_t at = 3; at < whole.size(); at += whole.size() / 97) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    test::write_bytes(path, changed);
    CHECK_THROWS_AS(load_capsule(path), Error);
  }
  test::write_bytes(path, whole);
  CHECK(load_capsule(path).capsule.rows == kRows);
}

TEST_CASE("doctor: a capsule that lies about its step is refused, not run") {
  const test::TempDir dir;
  const SavedCapsule saved = load(dir, capsule_of_step(cases().front(), 64, "auto", 1));
  const auto refused = [&](const std::function<void(Capsule&)>& change) {
    Capsule c = saved.capsule;
    change(c);
    const std::string path = dir / "lie.safetensors";
    save_capsule(path, saved.model, c);
    CHECK_THROWS_AS(load_capsule(path), Error);
  };
  refused([](Capsule& c) { c.labels[4] = 77; });
  refused([](Capsule& c) { c.labels[4] = -1; });
  refused([](Capsule& c) { c.part_rows = 0; });
  refused([](Capsule& c) { c.loss_scale = -1; });
  refused([](Capsule& c) { c.loss_scale = std::nanf(""); });
  refused([](Capsule& c) { c.clip.norm = -1; });
  refused([](Capsule& c) { c.places = {"line 1"}; });
  refused([](Capsule& c) { c.labels.clear(); });
  refused([](Capsule& c) { c.clock.attempted = -5; });
}

TEST_CASE("doctor: weights that somebody changed between steps are told from those that updates spoiled") {
  const Rows r = some_rows(kRows);
  Options options;
  options.threads = 1;
  for (const bool by_updates : {false, true}) {
    options.lr = by_updates ? 1e4 : 1e-3;
    Trainer trainer(cases().front().spec, options);
    std::vector<Incident> seen;
    trainer.on_incident([&](const Incident& i) { seen.push_back(i); });
    for (int step = 0; step < 3 && seen.empty(); ++step) trainer.step({r.x, r.labels, {}});
    if (!by_updates) {
      REQUIRE(seen.empty());
      std::vector<float> values = trainer.parameter("layers.1.weight");
      for (float& v : values) v *= 1e5f;
      trainer.set_parameter("layers.1.weight", values);
      trainer.step({r.x, r.labels, {}});
    }
    REQUIRE(!seen.empty());
    CAPTURE(text(seen.front()));
    CHECK(seen.front().reason == (by_updates ? IncidentReason::learning_rate : IncidentReason::bad_weights));
    if (!by_updates) CHECK(seen.front().why.find("layers.1.weight") != std::string::npos);
  }
}

// A host's rows: what is no number is named, whatever the precision; and a step without a watch costs no capsule.
TEST_CASE("doctor: a NaN and an infinity in a host's batch are named by row and input") {
  for (const Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
      Rows r = some_rows(kRows);
      r.x[12 * kInputs + 7] = bad;
      Options options;
      options.threads = 1;
      ModelSpec spec = cases().front().spec;
      spec.precision = precision;
      Trainer trainer(spec, options);
      CHECK(trainer.step({r.x, r.labels, {}}).outcome == StepOutcome::skipped);
      CHECK(trainer.capsule().empty());
      std::vector<Incident> seen;
      trainer.on_incident([&](const Incident& i) { seen.push_back(i); });
      CHECK(trainer.step({r.x, r.labels, {}}).outcome == StepOutcome::skipped);
      REQUIRE(seen.size() == 1);
      const Incident& i = seen.front();
      CAPTURE(text(i));
      CHECK(i.reason == IncidentReason::bad_input);
      CHECK(i.cause == StepCause::data);
      CHECK(i.batch_row == 12);
      CHECK(i.column == 7);
      CHECK(i.input.column == 7);
      CHECK(!trainer.capsule().empty());
    }
  }
}

TEST_CASE("doctor: what diagnose says of a model and of a capsule") {
  const test::TempDir dir;
  const std::vector<std::byte> bytes = capsule_of_step(cases().front(), 64, "auto", 1);
  const std::string path = dir / "capsule.safetensors";
  test::write_bytes(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  Options options;
  options.threads = 1;
  const Diagnosis d = diagnose(path, options);
  CHECK(d.kind == "capsule");
  CHECK_FALSE(d.healthy);
  CHECK(d.incident.reason == IncidentReason::loss_scale);
  CHECK(d.replay.same_bits);
  CHECK(d.rows.size() == 8);
  REQUIRE(!d.meters.tensors.empty());
  Trainer trainer(cases().front().spec, options);
  const std::string model = dir / "model.safetensors";
  trainer.save(model);
  const Diagnosis healthy = diagnose(model, options);
  CHECK(healthy.kind == "model");
  CHECK(healthy.healthy);
  std::vector<float> values = trainer.parameter("layers.1.weight");
  for (float& v : values) v *= 1000;
  trainer.set_parameter("layers.1.weight", values);
  trainer.save(model);
  const Diagnosis large = diagnose(model, options);
  CHECK_FALSE(large.healthy);
  CHECK(large.findings.front().find("layers.1.weight") != std::string::npos);
  CHECK_THROWS_AS(diagnose(dir / "none.safetensors", options), Error);
}

}  // namespace halfstep::internal::replays
