// Steps of more rows than a capsule keeps: the part that went non-finite, which gives the same bits and the same
// incident as the whole; and what is said of those that are too large for a file.
#include <doctest/doctest.h>

#include <limits>

#include "doctor/replay.hpp"
#include "doctor/watch.hpp"
#include "halfstep/trainer.hpp"
#include "io/temp_dir.hpp"
#include "kernels/dispatch.hpp"
#include "run/capsule_file.hpp"
#include "support/isa_loop.hpp"
#include "support/model.hpp"

namespace halfstep::internal::large_capsules {
namespace {

constexpr std::size_t kRows = 481, kInputs = 7, kClasses = 3;

struct Case {
  const char* name;
  ModelSpec spec;
  double scale;
  float wild;  // in one row; 0: in none
};

std::vector<Case> cases() {
  ModelSpec plain = {.widths = {kInputs, 12, 9, kClasses}, .precision = Dtype::fp16};
  ModelSpec mixed = plain;
  mixed.norm = Norm::batch;
  mixed.dropout = 0.3;
  return {
      {"a row", plain, 64, 1e30f}, {"a row, batch norm, dropout", mixed, 64, 1e30f}, {"the scale", mixed, 0x1p24, 0}};
}

// The first withheld step, whole and in its part: 288 rows and 193, with BatchNorm batches of 128.
struct Taken {
  std::vector<Capsule> capsules;
};

Taken take(const Case& c) {
  const test::Examples random(kRows, kInputs, kClasses);
  data::Examples set;
  set.rows = kRows;
  set.features = kInputs;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  for (std::size_t i = 0; i < kRows; ++i) set.weights.push_back(i % 3 == 0 ? 2.5f : 1.0f);
  if (c.wild != 0) set.x[300 * kInputs + 2] = c.wild;
  const std::unique_ptr<Executor> executor = make_executor(1, "serial");
  StepTrainer trainer(select_isa(), *executor,
                      {.model = c.spec,
                       .scaler = {.dynamic = false, .initial = c.scale},
                       .rows = kRows,
                       .batch = 128,
                       .accumulate = 4,
                       .schedule = {.lr = 0.001, .steps = 20}},
                      &set);
  Taken taken;
  trainer.on_withheld([&](const WithheldStep& step) {
    if (!taken.capsules.empty()) return;
    taken.capsules.push_back(take_capsule(trainer, step));
    taken.capsules.push_back(take_capsule(trainer, step, 1000));
  });
  for (int i = 0; i < 3; ++i) trainer.step();
  return taken;
}

}  // namespace

TEST_CASE("doctor: of a step of too many rows the part that went wrong is kept, and gives its bits and its incident") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Taken taken = take(c);
    REQUIRE(taken.capsules.size() == 2);
    const Capsule& whole = taken.capsules[0];
    CHECK(whole.rows == kRows);
    CHECK(what_is_kept(whole).empty());
    CHECK(taken.capsules[1].rows < kRows);
    CHECK(taken.capsules[1].digest == whole.digest);
    // As it comes back from a file.
    const test::TempDir dir;
    Options options;
    options.threads = 1;
    Trainer(c.spec, options).save(dir / "m.safetensors");
    save_capsule(dir / "c.safetensors", load_model(dir / "m.safetensors"), taken.capsules[1]);
    const Capsule part = load_capsule(dir / "c.safetensors").capsule;
    CHECK(part.step_rows == kRows);
    CHECK(part.first_row == taken.capsules[1].first_row);
    CHECK(part.weight == taken.capsules[1].weight);
    const Incident of_whole = examine(whole, {}, select_isa(), *make_executor(1, "serial"));
    test::for_each_runnable_isa([&](const KernelTable& kernels) {
      const auto executor = make_executor(2, "");
      CHECK(replay_step(part, kernels, *executor).same_bits);
      const Incident incident = examine(part, {}, kernels, *executor);
      CHECK(incident.cause == of_whole.cause);
      CHECK(incident.reason == of_whole.reason);
      CHECK(incident.tensor == of_whole.tensor);
      CHECK(incident.row == of_whole.row);
      CHECK(incident.batch_row == of_whole.batch_row);
      CHECK(incident.example == of_whole.example);
      CHECK(incident.value == doctest::Approx(of_whole.value));
    });
    CHECK(what_is_kept(taken.capsules[1]).find("of the 481 rows of its step") != std::string::npos);
  }
}

TEST_CASE("doctor: rows that go through the network together and are too many are no capsule, and the batch is named") {
  Capsule capsule;
  capsule.model.widths = {100, 4};
  capsule.rows = 50;
  capsule.x.resize(5000);
  CHECK(too_large(capsule).empty());
  CHECK(too_large(capsule, 20000).empty());
  const std::string why = too_large(capsule, 8000);
  CHECK(why.find("0.02 MB") != std::string::npos);
  CHECK(why.find("--batch 20,") != std::string::npos);
}

}  // namespace halfstep::internal::large_capsules
