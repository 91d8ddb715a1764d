// Which of a run's withheld steps are explained: the first of each kind, each row of the data once, each step where
// that is asked for, none for which there is no memory.
#include "doctor/watch.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "kernels/dispatch.hpp"
#include "support/model.hpp"

namespace halfstep::internal::watches {
namespace {

constexpr std::size_t kRows = 40, kInputs = 6, kClasses = 3;

data::Examples set_with(const std::vector<std::size_t>& bad_rows) {
  const test::Examples random(kRows, kInputs, kClasses);
  data::Examples set;
  set.rows = kRows;
  set.features = kInputs;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  for (const std::size_t row : bad_rows) set.x[row * kInputs + 2] = std::numeric_limits<float>::quiet_NaN();
  return set;
}

struct Run {
  std::unique_ptr<Executor> executor = make_executor(1, "serial");
  data::Examples set;
  StepTrainer trainer;
  std::vector<Incident> seen;

  Run(std::vector<std::size_t> bad_rows, double scale)
      : set(set_with(bad_rows)),
        trainer(select_isa(), *executor,
                {.model = {.widths = {kInputs, 12, kClasses}, .precision = Dtype::fp16},
                 .scaler = {.dynamic = false, .initial = scale},
                 .rows = kRows,
                 .batch = 8,
                 .schedule = {.lr = 0.001, .steps = 20}},
                &set) {}
  std::int64_t steps(bool each, std::uint64_t room) {
    IncidentWatch watch(
        trainer, {}, [](std::size_t row) { return "row " + std::to_string(row); },
        [&](Incident& incident, const Capsule&) { seen.push_back(incident); }, each, room);
    for (int step = 0; step < 15; ++step) trainer.step();
    return watch.missed();
  }
};

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

}  // namespace

TEST_CASE("doctor: each row of the data is told once, other incidents once of their kind") {
  Run rows({3, 17}, 64);
  CHECK(rows.steps(false, kPlenty) == 0);
  REQUIRE(rows.seen.size() == 2);  // in three epochs of five steps
  CHECK(rows.seen[0].place != rows.seen[1].place);
  for (const Incident& i : rows.seen) CHECK((i.place == "row 3" || i.place == "row 17"));

  Run scale({}, 16777216);
  CHECK(scale.steps(false, kPlenty) == 0);
  CHECK(scale.seen.size() == 1);
  Run each({}, 16777216);
  CHECK(each.steps(true, kPlenty) == 0);
  CHECK(each.seen.size() == 15);
}

TEST_CASE("doctor: where there is no memory to look, the run goes on and the step is counted") {
  Run run({}, 16777216);
  CHECK(run.steps(true, 1000) == 15);
  CHECK(run.seen.empty());
  CHECK(run.trainer.clock().attempted == 15);
}

}  // namespace halfstep::internal::watches
