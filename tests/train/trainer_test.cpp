// The trainer by itself: on batches that the caller holds and on a set, its clock, what it refuses and what it keeps.
#include "train/trainer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/split.hpp"
#include "halfstep/error.hpp"
#include "kernels/dispatch.hpp"
#include "support/model.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kRows = 50, kInputs = 6, kClasses = 3;
const OutputMeaning kClassify = {};

data::Examples set_of(std::size_t rows) {
  const test::Examples random(rows, kInputs, kClasses);
  data::Examples set;
  set.rows = rows;
  set.features = kInputs;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  return set;
}

TrainerConfig config_for(std::size_t rows) {
  return {.model = {.widths = {kInputs, 12, kClasses}, .activation = Activation::gelu, .dropout = 0.2},
          .scaler = {.dynamic = false, .initial = 64},
          .rows = rows,
          .batch = 8,
          .accumulate = 2,
          .schedule = {.kind = ScheduleKind::linear, .lr = 0.01, .warmup = 2, .steps = 7},
          .seed = 5};
}

struct Run {
  std::unique_ptr<Executor> executor = make_executor(1, "serial");
  data::Examples set;
  StepTrainer trainer;

  explicit Run(const TrainerConfig& config, data::Examples examples = set_of(kRows))
      : set(std::move(examples)), trainer(select_isa(), *executor, config, config.rows > 0 ? &set : nullptr) {}
};

// Some rows of a set, in the order given, as a caller holds them.
struct Held {
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  std::vector<float> values;

  Held(const data::Examples& set, std::span<const std::uint32_t> rows) {
    for (const std::uint32_t row : rows) {
      x.insert(x.end(), set.x.begin() + static_cast<std::ptrdiff_t>(row * kInputs),
               set.x.begin() + static_cast<std::ptrdiff_t>((row + 1) * kInputs));
      labels.push_back(set.labels[row]);
    }
  }
  BatchView view() const { return {x, labels, values}; }
};

Held first_rows(std::size_t rows) {
  std::vector<std::uint32_t> order(rows);
  for (std::size_t i = 0; i < rows; ++i) order[i] = static_cast<std::uint32_t>(i);
  return {set_of(kRows), order};
}

template <class F>
Status status_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.status();
  }
  return Status::ok;
}

TEST_CASE("trainer: batches that the caller holds give the bits of the same rows of a set") {
  Run from_set(config_for(kRows)), from_memory(config_for(0));
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    const std::vector<std::uint32_t> order = data::epoch_order(kRows, 5, epoch);
    for (std::size_t first = 0; first < kRows; first += 16) {
      const Held held(from_set.set, std::span(order).subspan(first, std::min<std::size_t>(16, kRows - first)));
      const StepRecord a = from_set.trainer.step(), b = from_memory.trainer.step(held.view());
      CHECK(a.step == b.step);
      CHECK(a.loss == b.loss);
      CHECK(a.grad_norm == b.grad_norm);
    }
  }
  CHECK(test::master_bits(from_set.trainer.model()) == test::master_bits(from_memory.trainer.model()));
}

TEST_CASE("trainer: the clock goes through the epochs, the last step short") {
  Run run(config_for(kRows));
  std::vector<std::size_t> rows;
  for (int i = 0; i < 7; ++i) {
    CHECK_FALSE(run.trainer.done());
    rows.push_back(run.trainer.next_rows());
    run.trainer.step();
  }
  CHECK(rows == std::vector<std::size_t>{16, 16, 16, 2, 16, 16, 16});
  CHECK(run.trainer.clock() == Clock{.epoch = 1, .row = 48, .attempted = 7, .applied = 7, .masks = 7});
  CHECK(run.trainer.done());
  run.trainer.step();  // more can follow
  CHECK(run.trainer.clock().epoch == 2);
  CHECK(run.trainer.clock().row == 0);
}

TEST_CASE("trainer: BatchNorm trains on every row but never on one alone") {
  TrainerConfig config = config_for(49);
  config.model.norm = Norm::batch;
  config.accumulate = 1;
  Run run(config, set_of(49));
  std::vector<std::size_t> rows;
  while (run.trainer.clock().epoch == 0) {
    rows.push_back(run.trainer.next_rows());
    REQUIRE(run.trainer.step().outcome == StepOutcome::applied);
  }
  CHECK(rows == std::vector<std::size_t>{8, 8, 8, 8, 8, 7, 2});
}

TEST_CASE("trainer: the learning rate follows the applied steps") {
  Run run(config_for(0));
  const Held good = first_rows(16);
  Held bad = good;
  bad.x[3] = std::numeric_limits<float>::infinity();
  CHECK(run.trainer.step(good.view()).lr == doctest::Approx(0.005));
  const StepRecord skipped = run.trainer.step(bad.view());
  CHECK(skipped.outcome == StepOutcome::skipped);
  CHECK(skipped.cause == StepCause::data);
  CHECK(skipped.step == 2);
  CHECK(skipped.applied == 1);
  CHECK(skipped.tensors.front() == "input");
  CHECK(run.trainer.step(good.view()).lr == doctest::Approx(0.01));
  CHECK(run.trainer.ledger().counts().skipped == 1);
  CHECK(run.trainer.ledger().counts().applied == 2);
}

TEST_CASE("trainer: what does not fit is refused, and changes nothing") {
  Run run(config_for(0));
  const auto before = test::master_bits(run.trainer.model());
  const auto refused = [&](const Held& held) {
    return status_of([&] { run.trainer.step(held.view()); }) == Status::invalid_argument;
  };
  Held held = first_rows(4);
  held.x.pop_back();
  CHECK(refused(held));
  held = first_rows(4);
  held.labels.pop_back();
  CHECK(refused(held));
  for (const std::int32_t label : {-1, 3}) {
    held = first_rows(4);
    held.labels[2] = label;
    CHECK(refused(held));
  }
  CHECK(refused(first_rows(0)));
  CHECK(status_of([&] { run.trainer.step(); }) == Status::state);
  CHECK(run.trainer.clock() == Clock{});
  CHECK(test::master_bits(run.trainer.model()) == before);
  CHECK(status_of([] { Run other(config_for(kRows), set_of(kRows - 1)); }) == Status::invalid_argument);
  TrainerConfig config = config_for(0);
  config.model.widths = {kInputs};
  CHECK(status_of([&] { Run other(config); }) == Status::invalid_argument);
}

TEST_CASE("trainer: a regression on several values, one for each output") {
  TrainerConfig config = config_for(0);
  config.model.loss = LossKind::mse;
  config.model.dropout = 0;
  config.schedule = {.kind = ScheduleKind::constant, .lr = 0.02, .steps = 1000};
  Run run(config);
  Held held = first_rows(32);
  CHECK(status_of([&] { run.trainer.step(held.view()); }) == Status::invalid_argument);
  for (std::size_t i = 0; i < 32 * kClasses; ++i) held.values.push_back(held.x[i % kInputs + i / kClasses * kInputs]);
  const double first = run.trainer.step(held.view()).loss;
  double last = first;
  for (int i = 0; i < 100; ++i) last = run.trainer.step(held.view()).loss;
  CHECK(last < first / 4);
}

TEST_CASE("trainer: a set with several values gives the bits of the same rows in batches, and fits as many outputs") {
  TrainerConfig config = config_for(kRows), without = config_for(0);
  data::Examples set = set_of(kRows);
  set.labels.clear();
  set.outputs = kClasses;
  for (std::size_t i = 0; i < kRows * kClasses; ++i) {
    set.targets.push_back(static_cast<float>(i * 29 % 31) / 31 - static_cast<float>(i % kClasses));
    set.exact_targets.push_back(set.targets.back());
  }
  for (const LossKind loss : {LossKind::mse, LossKind::mae, LossKind::huber}) {
    config.model.loss = without.model.loss = loss;
    Run from_set(config, set), from_memory(without);
    for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
      const std::vector<std::uint32_t> order = data::epoch_order(kRows, 5, epoch);
      for (std::size_t first = 0; first < kRows; first += 16) {
        Held held({}, {});
        for (std::size_t i = first; i < std::min(first + 16, kRows); ++i) {
          const std::size_t row = order[i];
          held.x.insert(held.x.end(), set.x.data() + row * kInputs, set.x.data() + (row + 1) * kInputs);
          held.values.insert(held.values.end(), set.targets.data() + row * kClasses,
                             set.targets.data() + (row + 1) * kClasses);
        }
        CHECK(from_set.trainer.step().loss == from_memory.trainer.step(held.view()).loss);
      }
    }
    CHECK(test::master_bits(from_set.trainer.model()) == test::master_bits(from_memory.trainer.model()));
  }
  set.outputs = 2;
  CHECK(status_of([&] { Run other(config, set); }) == Status::invalid_argument);
}

TEST_CASE("trainer: it learns what a set holds, and measures it") {
  TrainerConfig config = config_for(kRows);
  config.schedule = {.kind = ScheduleKind::constant, .lr = 0.01, .steps = 400};
  Run run(config);
  const Metrics before = run.trainer.evaluate(run.set, kClassify, {});
  while (!run.trainer.done()) run.trainer.step();
  const Metrics after = run.trainer.evaluate(run.set, kClassify, {});
  CHECK(after.rows == kRows);
  CHECK(after.loss < before.loss / 2);
  CHECK(after.accuracy > 0.9);
}

TEST_CASE("trainer: meters are read when they are due") {
  TrainerConfig config = config_for(kRows);
  CHECK(Run(config).trainer.meter().step == 0);
  config.meter_every = 3;
  Run run(config);
  std::vector<std::int64_t> read;
  for (int i = 0; i < 7; ++i) {
    run.trainer.step();
    if (run.trainer.metered()) read.push_back(run.trainer.meter().step);
  }
  CHECK(read == std::vector<std::int64_t>{1, 4, 7});
}

TEST_CASE("trainer: weights that a step has broken are found, and the last good ones come back") {
  TrainerConfig config = config_for(0);
  config.model.dropout = 0;
  config.schedule = {.kind = ScheduleKind::constant, .lr = 0.01, .steps = 1000};
  Run run(config);
  const Held held = first_rows(32);
  CHECK_FALSE(run.trainer.check_weights());
  std::vector<std::uint32_t> good;
  for (int i = 0; i < 70; ++i) {
    run.trainer.step(held.view());
    if (i + 1 == LastGood::kEvery) good = test::master_bits(run.trainer.model());
  }
  CHECK(run.trainer.restore_last_good() == 70);  // nothing is wrong: the weights stay
  std::vector<NamedTensor> tensors = run.trainer.model().tensors();
  tensors[0].values[0] = std::numeric_limits<float>::quiet_NaN();
  run.trainer.model().set_tensors(tensors);
  const std::optional<StepRecord> broken = run.trainer.check_weights();
  REQUIRE(broken);
  CHECK(broken->cause == StepCause::weights);
  CHECK(broken->tensors.front() == "layers.0.weight");
  CHECK(run.trainer.restore_last_good() == LastGood::kEvery);
  CHECK(test::master_bits(run.trainer.model()) == good);
}

TEST_CASE("trainer: it takes the memory that was planned for it") {
  Run run(config_for(kRows));
  std::vector<MemoryPart> parts = run.trainer.memory(1000);
  std::erase_if(parts, [](const MemoryPart& part) { return part.what == "rest of huge pages"; });
  const std::vector<MemoryPart> plan = planned_memory(run_shape(config_for(kRows), 1000, 1));
  REQUIRE(parts.size() == plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    CAPTURE(plan[i].what);
    CHECK(parts[i].what == plan[i].what);
    CHECK(parts[i].bytes == plan[i].bytes);
  }
}

TEST_CASE("trainer: its state is that of all its parts") {
  TrainerConfig config = config_for(kRows);
  config.meter_every = 1;
  Run run(config);
  run.trainer.step();
  const State state = save_state(run.trainer);
  for (const char* part :
       {"network.", "optimizer.", "scaler.", "clock.", "ledger.", "last_good.", "meter.", "last_cause"}) {
    CAPTURE(part);
    CHECK(std::any_of(state.entries.begin(), state.entries.end(),
                      [&](const StateEntry& e) { return e.name.starts_with(part); }));
  }
}

}  // namespace
}  // namespace halfstep::internal
