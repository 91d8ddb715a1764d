#include "halfstep/preflight.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/rng.hpp"
#include "doctor/fp16_plan.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "run/preflight_runs.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"

namespace halfstep::internal {
namespace {

using Change = std::function<void(std::size_t row, std::vector<double>&)>;

// 200 rows of four inputs about 1 and a number that they explain, changed; in line r + 2 that of row r.
std::string table_to_try(const test::TempDir& dir, const Change& change = {}) {
  std::ostringstream out;
  out << "a,b,c,d,y\n";
  for (std::size_t r = 0; r < 200; ++r) {
    std::vector<double> row;
    for (std::uint64_t c = 0; c < 4; ++c) row.push_back(static_cast<double>(Rng(5, c).normal(r)));
    row.push_back(row[0] - row[1] * row[2]);
    if (change) change(r, row);
    for (std::size_t c = 0; c < row.size(); ++c) out << (c == 0 ? "" : ",") << row[c];
    out << '\n';
  }
  test::write_bytes(dir / "data.csv", out.str());
  return dir / "data.csv";
}

Options run_to_try(const test::TempDir& dir) {
  Options options;
  options.hidden = {16, 8};
  options.threads = 1;
  options.steps = 20;
  options.out = dir / "model.safetensors";
  return options;
}

// The flags of a trial, as a command line would give them.
Options with_flags(Options options, const std::string& flags) {
  std::istringstream words(flags);
  for (std::string name, value; words >> name >> value;) set_option(options, name.substr(2), value);
  return options;
}

const PreflightTrial& trial_of(const Preflight& p, Dtype precision) {
  return *std::find_if(p.trials.begin(), p.trials.end(), [&](const auto& t) { return t.precision == precision; });
}

std::string read_text_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool mentions(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

double most_flushed(const Preflight& p) {
  double most = 0;
  for (const PreflightTensor& t : p.tensors) {
    if (t.gradient && t.stored) most = std::max(most, t.unscaled.flushed);
  }
  return most;
}

}  // namespace

TEST_CASE("preflight: a healthy table needs no lifts, and no slower precision is recommended") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir);
  const Preflight p = preflight(data, run_to_try(dir));
  CHECK(p.finite);
  CHECK(p.lift.empty());
  CHECK(p.columns.empty());
  REQUIRE(p.trials.size() == 3);
  for (const PreflightTrial& t : p.trials) {
    CHECK(t.skipped == 0);
    CHECK(t.step_ns > 0);
    if (t.flags == p.flags && t.precision != Dtype::fp32) CHECK(t.speedup > 1);
  }
  CHECK(p.flags.starts_with("--precision "));
  CHECK(mentions(p.findings, "the first loss scale for fp16"));
  Options told = run_to_try(dir);
  for (const auto& change : p.changes) set_option(told, change.first, change.second);
  CHECK_NOTHROW(validate(told));
  CHECK(p.changes.front().first == "precision");
  CHECK(std::any_of(p.constants.begin(), p.constants.end(), [](const auto& c) { return c.name == "epsilon"; }));
}

TEST_CASE("preflight: a column that fp16 cannot hold is named, and its layer goes wide") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir, [](std::size_t row, auto& values) {
    values[2] = row == 50 ? 1e6 : 1e5 + 1000 * values[2];
    values[3] *= 1e-9;
  });
  Options options = run_to_try(dir);
  options.standardize = "none";
  options.lr = 1e-6;
  options.validation = 0.01;
  const Preflight p = preflight(data, options);
  REQUIRE(p.columns.size() == 2);
  CHECK(p.columns[0].name == "c");
  CHECK(p.columns[0].overflows);
  CHECK(p.columns[0].value == 1e6);
  CHECK(p.columns[0].place == "line 52");
  CHECK(std::fabs(p.columns[0].standardized) < 20);
  CHECK(p.columns[1].name == "d");
  CHECK_FALSE(p.columns[1].overflows);
  CHECK(mentions(p.findings, "column 'c' reaches 1000000 (line 52)"));
  CHECK(mentions(p.findings, "--standardize auto"));
  REQUIRE_FALSE(p.lift.empty());
  CHECK(p.lift.front() == LayerPrecision{0, Dtype::bf16});
  CHECK(p.tensors.front().tensor == "input");
  CHECK(p.tensors.front().fp16.saturated > 0);
  CHECK(p.flags != "--precision fp16");
}

TEST_CASE("preflight: an output too wide for fp16 lifts the layer that reads it, and then no step is skipped") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir, [](std::size_t, auto& values) {
    for (std::size_t c = 0; c < 4; ++c) values[c] = std::clamp(values[c], -2.0, 2.0) * 15000;
  });
  Options options = run_to_try(dir);
  options.standardize = "none";
  options.lr = 1e-6;
  options.hidden = {32, 8};
  const Preflight p = preflight(data, options);
  CHECK(p.columns.empty());
  REQUIRE(p.finite);
  CHECK(std::any_of(p.lift.begin(), p.lift.end(), [](const LayerPrecision& l) { return l.layer == 1; }));
  CHECK(p.lift.size() < 3);
  const PreflightTrial& fp16 = trial_of(p, Dtype::fp16);
  CHECK(fp16.skipped == 0);
  const TrainResult mended = train(data, with_flags(options, fp16.flags), {});
  CHECK(mended.steps.skipped == 0);
  CHECK(mended.precision == "fp16");
  CHECK(mended.layer_precision.find("1=bf16") != std::string::npos);
  Options narrow = options;
  narrow.precision = Dtype::fp16;
  narrow.max_skip_rate = 1;
  narrow.loss_scale = "headroom";
  TrainObserver observer;
  std::int64_t skipped = 0;
  observer.on_step = [&](const StepRecord& r) { skipped += r.outcome == StepOutcome::skipped; };
  try {
    (void)train(data, narrow, observer);
  } catch (const Error& error) {
    CHECK(error.status() == Status::diverged);
  }
  CHECK(skipped > 0);
}

TEST_CASE("preflight: gradients that vanish layer by layer are lost in fp16 without a scale, and get a larger one") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir);
  Options deep = run_to_try(dir);
  const Preflight shallow = preflight(data, deep);
  deep.hidden.assign(6, 16);
  deep.activation = Activation::sigmoid;
  deep.loss = "huber";
  deep.huber_delta = 1e-3;
  const Preflight p = preflight(data, deep);
  CHECK(most_flushed(p) > 0.05);
  CHECK(most_flushed(shallow) < most_flushed(p));
  CHECK(p.loss_scale > shallow.loss_scale);
  for (const PreflightTensor& t : p.tensors) {
    const bool lifted = std::any_of(p.lift.begin(), p.lift.end(), [&](const auto& l) { return l.layer == t.layer; });
    if (t.gradient && t.stored && !lifted) CHECK(t.fp16.flushed <= 0.2);
  }
}

TEST_CASE("preflight: what is no number in fp32 either has no precision") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir, [](std::size_t row, auto& values) { values[1] = row == 7 ? 3e38 : 1e37; });
  Options options = run_to_try(dir);
  options.standardize = "none";
  options.batch = 200;
  options.validation = 0.01;
  const Preflight p = preflight(data, options);
  CHECK_FALSE(p.finite);
  CHECK(p.flags.empty());
  CHECK(p.trials.empty());
  CHECK(p.why.find("fp32 either") != std::string::npos);
  CHECK(mentions(p.findings, "column 'b'"));
  options = run_to_try(dir);
  options.resume = "folder";
  CHECK_THROWS_AS((void)preflight(data, options), Error);
}

TEST_CASE("preflight: what it foretells of fp16 is what the meters of an fp16 run count") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir);
  for (const char* const kind : {"dense", "gated"}) {
    CAPTURE(kind);
    Options options = run_to_try(dir);
    options.hidden = {32, 32, 32};
    options.layer = kind;
    options.activation = Activation::gelu;
    const Machine machine(options);
    const Prepared prepared = prepare(data, options, {machine.executor.get()});
    constexpr int kSteps = 4, kBits = 6;  // so small a scale that much is lost
    const WideSteps wide = measure_wide({options, prepared, machine, nullptr}, {kSteps, 10});
    options.precision = Dtype::fp16;
    options.loss_scale = "64";
    options.meter_every = 1;
    StepTrainer trainer(*machine.kernels, *machine.executor,
                        trainer_config(options, spec_of(prepared, options), prepared.train.rows), &prepared.train);
    std::vector<TensorMeter> counted;
    for (int step = 0; step < kSteps; ++step) {
      (void)trainer.step();
      const std::vector<TensorMeter>& now = trainer.meter().tensors;
      counted.resize(now.size());
      for (std::size_t i = 0; i < now.size(); ++i) {
        counted[i].tensor = now[i].tensor;
        counted[i].storage = now[i].storage;
        counted[i].elements += now[i].elements - now[i].exponents[0];
        counted[i].flushed += now[i].flushed;
        counted[i].subnormal += now[i].subnormal;
      }
    }
    std::size_t compared = 0;
    for (const TensorMeter& m : counted) {
      const auto same = std::find_if(wide.tensors.begin(), wide.tensors.end(),
                                     [&](const PreflightTensor& t) { return t.tensor == m.tensor; });
      REQUIRE(same != wide.tensors.end());
      const bool by_weights = m.tensor.starts_with("gradient of");
      CHECK(same->stored == (m.storage == Dtype::fp16 && !by_weights));
      const StorageLoss loss = storage_loss(same->wide, Dtype::fp16, same->gradient ? kBits : 0);
      const auto values = static_cast<double>(m.elements);
      CHECK(std::fabs(loss.flushed - static_cast<double>(m.flushed) / values) < 0.02);
      CHECK(std::fabs(loss.subnormal - static_cast<double>(m.subnormal) / values) < 0.04);
      compared += same->stored;
    }
    CHECK(compared >= 7);
  }
}

TEST_CASE("precision auto: a run takes what is recommended, and its repeat has the same bits") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir);
  Options options = run_to_try(dir);
  set_option(options, "precision", "auto");
  options.command = "halfstep train --precision auto data.csv";
  options.checkpoint_dir = dir / "checkpoints";
  options.checkpoint_every = 10;
  options.report = dir / "report.html";
  TrainObserver observer;
  std::vector<std::string> notes;
  observer.on_plan = [&](const RunPlan& plan) { notes = plan.notes; };
  const TrainResult chosen = train(data, options, observer);
  REQUIRE_FALSE(chosen.chosen.empty());
  CHECK(mentions(notes, "--precision auto took --precision " + chosen.precision));
  CHECK(read_text_file(dir / "report.html").find("precision auto data.csv") == std::string::npos);

  Options again = options;
  again.checkpoint_dir.clear();
  again.checkpoint_every = 0;
  for (const auto& change : chosen.chosen) set_option(again, change.first, change.second);
  CHECK(get_option(again, "precision") == chosen.precision);
  CHECK(train(data, again, {}).weights_digest == chosen.weights_digest);
  for (const auto& entry : inspect(chosen.model).config) {
    if (entry.first == "precision") CHECK(entry.second == chosen.precision);
  }
}

TEST_CASE("precision auto: a run that goes on keeps the precision of its checkpoint") {
  const test::TempDir dir;
  const std::string data = table_to_try(dir);
  Options options = run_to_try(dir);
  options.precision = Dtype::fp16;
  options.scale_init = 1024;
  options.layer_precision = {{1, Dtype::fp32}};
  options.checkpoint_dir = dir / "checkpoints";
  options.checkpoint_every = 10;
  (void)train(data, options, {});
  Options on = run_to_try(dir);
  set_option(on, "precision", "auto");
  on.checkpoint_dir = options.checkpoint_dir;
  on.checkpoint_every = 10;
  on.resume = "auto";
  on.steps = 30;
  const TrainResult result = train(data, on, {});
  CHECK(result.precision == "fp16");
  CHECK(result.layer_precision == "1=fp32");
  CHECK(result.resumed_at == 20);
}

}  // namespace halfstep::internal
