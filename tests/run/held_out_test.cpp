// What a report shows of the rows held out, against the metrics of the same rows.
#include "run/held_out.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/temp_dir.hpp"
#include "run/machine.hpp"
#include "run/output_meaning.hpp"
#include "run/prepare.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"
#include "train/inference.hpp"

namespace halfstep::internal {
namespace {

// A model after a few steps, and the rows that it was trained on.
struct TrainedRun {
  explicit TrainedRun(const std::string& data, const Options& options)
      : machine(options),
        prepared(prepare(data, options)),
        spec(spec_of(prepared, options)),
        meaning(output_meaning(prepared.preprocessor, spec.loss)),
        trainer(*machine.kernels, *machine.executor, trainer_config(options, spec, prepared.train.rows),
                &prepared.train) {
    while (!trainer.done()) trainer.step();
  }
  report::HeldOut look(const data::Examples& examples) {
    const RowNumbers none;
    const RowsToLookAt rows = {*machine.kernels, spec, meaning, prepared.preprocessor, examples, none};
    return look_at_rows(rows, [&](const std::function<void(const float*)>& see) {
      for_each_row(trainer.context(), trainer.model(), examples, meaning,
                   [&](std::size_t, const float* logits, const double*) { see(logits); });
    });
  }
  report::Importance use(const data::Examples& examples) {
    const Networks networks = trainer.model();
    const AskedModel model = {trainer.context(), networks, spec.loss, meaning, prepared.preprocessor};
    return column_use(model, spec, {{networks, examples}}, 120.0 * static_cast<double>(trainer.config().batch),
                      trainer.config().seed);
  }
  Machine machine;
  Prepared prepared;
  ModelSpec spec;
  OutputMeaning meaning;
  StepTrainer trainer;
};

Options few_steps() {
  Options options;
  options.hidden = {16};
  options.steps = 120;
  options.lr = 0.01;
  options.threads = 1;
  options.report = "unused";
  return options;
}

// y follows `used` alone; `idle` is noise.
std::string used_and_idle() {
  std::string text = "idle,used,y\n";
  for (int i = 0; i < 400; ++i) {
    text += std::to_string(i * 53 % 89) + "," + std::to_string(i * 37 % 101) + "," +
            (i * 37 % 101 > 50 ? "big\n" : "small\n");
  }
  return text;
}

}  // namespace

TEST_CASE("held-out rows: the bins of confidence make the calibration error, and the worst rows are the worst") {
  TrainedRun t("builtin:spirals", few_steps());
  const data::Examples& examples = t.prepared.test;
  const Metrics metrics = t.trainer.evaluate(examples, t.meaning, {});
  const report::HeldOut seen = t.look(examples);
  std::int64_t rows = 0;
  double right = 0, error = 0;
  for (const report::CalibrationBin& bin : seen.bins) {
    rows += bin.rows;
    right += bin.accuracy * static_cast<double>(bin.rows);
    error += std::fabs(bin.confidence - bin.accuracy) * static_cast<double>(bin.rows);
  }
  CHECK(rows == metrics.rows);
  CHECK(right / static_cast<double>(rows) == doctest::Approx(metrics.accuracy));
  CHECK(error / static_cast<double>(rows) == doctest::Approx(metrics.calibration_error).epsilon(1e-3));
  REQUIRE(seen.worst.size() == 12);
  for (std::size_t i = 1; i < seen.worst.size(); ++i) CHECK(seen.worst[i - 1].loss >= seen.worst[i].loss);
  for (const report::WorstRow& row : seen.worst) {
    CHECK(row.loss == doctest::Approx(-std::log(row.probability)).epsilon(1e-3));
    CHECK(row.loss > metrics.loss);
  }
}

TEST_CASE("held-out rows: true and predicted values, and the histogram of their differences") {
  TrainedRun t("builtin:regression", few_steps());
  const data::Examples& examples = t.prepared.test;
  const Metrics metrics = t.trainer.evaluate(examples, t.meaning, {});
  const report::HeldOut seen = t.look(examples);
  const report::TargetValues& values = seen.values.at(0);
  CHECK(std::accumulate(values.residuals.begin(), values.residuals.end(), std::int64_t{0}) == metrics.rows);
  CHECK(values.residual_low < 0);
  CHECK(values.residual_high > 0);
  double squares = 0;
  for (const auto& [truth, prediction] : values.values) squares += (truth - prediction) * (truth - prediction);
  const double rmse = std::sqrt(squares / static_cast<double>(values.values.size()));  // of a sample of the rows
  CHECK(rmse == doctest::Approx(metrics.rmse).epsilon(0.15));
}

TEST_CASE("held-out rows: each of several targets has its values, in its units") {
  Options options = few_steps();
  options.target = "y,x2,x3,x4,x5";
  TrainedRun t("builtin:regression", options);
  const data::Examples& examples = t.prepared.test;
  const Metrics metrics = t.trainer.evaluate(examples, t.meaning, {});
  const report::HeldOut seen = t.look(examples);
  REQUIRE(seen.values.size() == report::kShownTargets);  // the first of them
  for (std::size_t i = 0; i < seen.values.size(); ++i) {
    const report::TargetValues& values = seen.values[i];
    CHECK(values.name == t.prepared.preprocessor.targets()[i].name);
    double squares = 0, mean = 0;
    for (const auto& [truth, prediction] : values.values) {
      squares += (truth - prediction) * (truth - prediction) / static_cast<double>(values.values.size());
      mean += truth / static_cast<double>(values.values.size());
    }
    CHECK(std::sqrt(squares) == doctest::Approx(metrics.targets[i].rmse).epsilon(0.15));
    CHECK(mean == doctest::Approx(t.meaning.targets[i].mean).epsilon(0.15));
  }
  REQUIRE_FALSE(seen.worst.empty());
  CHECK(std::count(seen.worst[0].truth.begin(), seen.worst[0].truth.end(), ',') == 4);
  CHECK(seen.worst[0].prediction.ends_with(", ..."));
}

TEST_CASE("columns: the one that is used comes first, by the same numbers each time, and no row is changed") {
  const test::TempDir dir;
  test::write_bytes(dir / "t.csv", used_and_idle());
  TrainedRun t(dir / "t.csv", few_steps());
  const Metrics before = t.trainer.evaluate(t.prepared.train, t.meaning, {});
  const report::Importance use = t.use(t.prepared.train);
  REQUIRE(use.columns.size() == 2);
  CHECK(use.rows == static_cast<std::int64_t>(t.prepared.train.rows));
  CHECK(use.loss == doctest::Approx(before.loss).epsilon(1e-6));
  CHECK(use.columns[0].name == "used");
  CHECK(use.columns[0].increase > 0.2);
  CHECK(std::fabs(use.columns[1].increase) < use.columns[0].increase / 5);
  CHECK(use.columns[0].deviation > 0);
  CHECK(use.columns[0].deviation < use.columns[0].increase / 5);
  REQUIRE(use.dependences.size() == 2);
  CHECK(use.dependences[0].column == "used");
  CHECK(use.dependences[0].outputs == std::vector<std::string>{"small"});
  CHECK(use.dependences[0].points.front().means[0] > 0.8);
  CHECK(use.dependences[0].points.back().means[0] < 0.2);
  const report::Importance again = t.use(t.prepared.train);
  for (std::size_t i = 0; i < 2; ++i) CHECK(again.columns[i].increase == use.columns[i].increase);
  CHECK(t.trainer.evaluate(t.prepared.train, t.meaning, {}).loss == before.loss);
}

TEST_CASE("columns: of sparse rows, by their indices in the file") {
  const test::TempDir dir;
  std::string text;
  for (int i = 0; i < 400; ++i) {
    const int used = i * 37 % 101;
    text += (used > 50 ? "1 2:" : "0 2:") + std::to_string(i * 53 % 89) + (used > 50 ? " 7:1" : "") + " 9:0.5\n";
  }
  test::write_bytes(dir / "t.libsvm", text);
  TrainedRun t(dir / "t.libsvm", few_steps());
  const Metrics before = t.trainer.evaluate(t.prepared.train, t.meaning, {});
  const report::Importance use = t.use(t.prepared.train);
  REQUIRE(use.columns.size() == 2);  // the last is constant
  CHECK(use.columns[0].name == "feature 7");
  CHECK(use.columns[0].increase > 0.2);
  CHECK(use.columns[1].name == "feature 2");
  CHECK(use.loss == doctest::Approx(before.loss).epsilon(1e-6));
}

TEST_CASE("columns: of pictures, fields in a square") {
  TrainedRun t("builtin:digits", few_steps());
  const report::Importance use = t.use(t.prepared.test);
  REQUIRE(use.side == 8);  // of 16 by 16 pixels, two by two
  REQUIRE(use.columns.size() == 64);
  const auto increase = [&](std::size_t x, std::size_t y) { return use.columns[y * 8 + x].increase; };
  CHECK(increase(3, 3) + increase(4, 4) + increase(3, 4) > increase(0, 0) + increase(7, 0) + increase(0, 7));
}

}  // namespace halfstep::internal
