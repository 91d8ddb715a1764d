// Checkpoints and models that are whole, and say what no run has: numbers that are inf or NaN, counts that lie.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "run/checkpoint_folder.hpp"

namespace halfstep::internal {
namespace {

constexpr float kQuietNan = std::numeric_limits<float>::quiet_NaN();

// A run that has stopped after some steps, and its checkpoint.
struct Stopped {
  test::TempDir dir;
  Options options;
  std::string path;

  explicit Stopped(void (*change)(Options&) = [](Options&) {}) {
    options.hidden = {4};
    options.validation = 0.2;
    options.threads = 1;
    options.epochs = 4;
    options.out = dir / "m.safetensors";
    change(options);
    options.checkpoint_dir = dir / "c";
    int steps = 0;
    TrainObserver observer;
    observer.on_step = [&](const StepRecord&) { ++steps; };
    observer.should_stop = [&] { return steps >= 8; };
    path = train("builtin:spirals", options, observer).checkpoint;
    options.checkpoint_dir = "";
    options.resume = dir / "changed.safetensors";
  }

  // What a run says that is to go on with the checkpoint after this; empty: it goes on.
  template <class F>
  std::string refusal(F change) {
    Checkpoint c = load_checkpoint(path);
    change(c);
    save_checkpoint(options.resume, c);
    try {
      train("builtin:spirals", options, {});
    } catch (const Error& error) {
      CHECK(error.status() == Status::format);
      return error.what();
    }
    return "";
  }
};

StateEntry& entry(Checkpoint& c, const std::string& name) {
  const auto at =
      std::find_if(c.state.entries.begin(), c.state.entries.end(), [&](const StateEntry& e) { return e.name == name; });
  REQUIRE_MESSAGE(at != c.state.entries.end(), name);
  return *at;
}

template <class T>
void put(Checkpoint& c, const std::string& name, T value, std::size_t at = 0) {
  std::memcpy(entry(c, name).bytes.data() + at * sizeof value, &value, sizeof value);
}

bool tells(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("bad state: weights and moments that are inf or NaN are named and refused, in each storage") {
  Stopped fp32;
  CHECK(fp32.refusal([](Checkpoint&) {}).empty());
  const std::string weight = "trainer.network.layers.0.weight", moment = "trainer.optimizer.0.second_moment";
  const std::string words = fp32.refusal([&](Checkpoint& c) {
    put(c, weight, kQuietNan);
    put(c, weight, -HUGE_VALF, 1);
  });
  CHECK(tells(words, "(" + fp32.options.resume + "): " + weight + " has 2 of them"));
  CHECK(tells(fp32.refusal([&](Checkpoint& c) { put(c, moment, HUGE_VALF, 2); }), moment + " has 1 of them"));
  Stopped bits16([](Options& o) { o.master = MasterKind::kahan, o.moments = Dtype::bf16; });
  CHECK(bits16.refusal([](Checkpoint&) {}).empty());
  for (const std::string& name : {weight, moment, std::string("trainer.optimizer.0.low")}) {
    CHECK(
        tells(bits16.refusal([&](Checkpoint& c) { put(c, name, std::uint16_t{0xff80}, 3); }), name + " has 1 of them"));
  }
  Stopped fp16([](Options& o) { o.master = MasterKind::stochastic, o.precision = Dtype::fp16; });
  CHECK(fp16.refusal([](Checkpoint&) {}).empty());
  CHECK(tells(fp16.refusal([&](Checkpoint& c) { put(c, weight, std::uint16_t{0x7c01}, 3); }), weight));
}

TEST_CASE("bad state: --resume auto passes over a checkpoint with a NaN, and --init-from refuses a model with one") {
  Stopped run;
  Checkpoint c = load_checkpoint(run.path);
  c.attempted = 9;
  put(c, "trainer.clock.attempted", std::int64_t{9});
  put(c, "trainer.network.layers.0.weight", kQuietNan);
  save_checkpoint(run.dir / "c/step-000000000009.safetensors", c);
  std::vector<std::string> passed;
  const std::optional<Found> found = newest_checkpoint(run.dir / "c", passed);
  REQUIRE(found.has_value());
  CHECK(found->checkpoint.attempted == 8);
  REQUIRE(passed.size() == 1);
  CHECK(tells(passed[0], "inf or NaN"));

  SavedModel model = load_model(run.options.out);
  model.tensors[1].values[0] = kQuietNan;
  Options next = run.options;
  next.resume = "";
  next.init_from = run.dir / "bad.safetensors";
  save_model(next.init_from, model);
  CHECK_THROWS_WITH_AS(train("builtin:spirals", next, {}), doctest::Contains("layers.0.bias has 1 of them"), Error);
}

TEST_CASE("bad state: numbers and counts that no run has are refused") {
  Stopped run([](Options& o) {
    o.precision = Dtype::fp16, o.loss_scale = "headroom", o.schedule = "plateau", o.early_stop = 3, o.lr = 0.01;
  });
  CHECK(run.refusal([](Checkpoint&) {}).empty());
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<const char*, double> numbers[] = {{"trainer.scaler.scale", 0},
                                                    {"trainer.scaler.scale", kNan},
                                                    {"trainer.scaler.scale", 1e300},
                                                    {"trainer.scaler.growth_factor", HUGE_VAL},
                                                    {"trainer.step.headroom.allowed", kNan},
                                                    {"trainer.optimizer.beta1_power", kNan},
                                                    {"trainer.optimizer.beta2_power", 1.5},
                                                    {"trainer.rate_factor", kNan},
                                                    {"plateau.factor", -1}};
  for (const auto& number : numbers) {
    CAPTURE(number.first);
    CHECK_FALSE(run.refusal([&](Checkpoint& c) { put(c, number.first, number.second); }).empty());
  }
  const std::pair<const char*, std::int64_t> integers[] = {{"trainer.clock.attempted", INT64_MAX},
                                                           {"trainer.clock.applied", 9},
                                                           {"trainer.clock.parts", INT64_MAX},
                                                           {"trainer.clock.epoch", 1},
                                                           {"trainer.clock.row", -1},
                                                           {"trainer.optimizer.steps", -1},
                                                           {"trainer.optimizer.steps", 1 << 20},
                                                           {"trainer.ledger.skipped", 9},
                                                           {"trainer.ledger.attempted", 7},
                                                           {"trainer.last_good.steps", INT64_MAX},
                                                           {"early_stop.best_epoch", 99},
                                                           {"early_stop.last", -1},
                                                           {"trainer.scaler.growth_interval", -20},
                                                           {"plateau.dropped", -3},
                                                           {"epoch.applied_rows", -1}};
  for (const auto& integer : integers) {
    CAPTURE(integer.first);
    CHECK_FALSE(run.refusal([&](Checkpoint& c) { put(c, integer.first, integer.second); }).empty());
  }
}

TEST_CASE("bad state: metadata that the state or the layers do not bear out is refused") {
  Stopped run;
  using Change = void (*)(Checkpoint&);
  const Change changes[] = {[](Checkpoint& c) { c.attempted = 7; },
                            [](Checkpoint& c) { c.attempted = std::int64_t{1} << 60; },
                            [](Checkpoint& c) { c.epoch = 3; },
                            [](Checkpoint& c) { c.model.step = 2; },
                            [](Checkpoint& c) { c.model.scaler.scale = 0; },
                            [](Checkpoint& c) { c.model.scaler.growth_interval = -4; },
                            [](Checkpoint& c) { c.model.spec.widths.back() += 1; },
                            [](Checkpoint& c) { c.data.train_rows = -1; }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    CAPTURE(i);
    CHECK_FALSE(run.refusal(changes[i]).empty());
    CHECK_FALSE(verify(run.options.resume).good);
  }
}

}  // namespace halfstep::internal
