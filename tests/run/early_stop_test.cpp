// Runs that end before their planned end, and the model that they then leave.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "run/early_stop.hpp"

namespace halfstep::internal {
namespace {

// What there is to learn of the first column is learned soon, the noise after.
std::string noisy_table(const test::TempDir& dir, const char* file, int rows, int first) {
  std::ofstream out(dir / file);
  out << "a,b,c,y\n";
  for (int i = first; i < first + rows; ++i) {
    const double a = std::sin(i * 12.9898), noise = std::sin(i * 78.233 + i * i);
    out << a << ',' << std::sin(i * 4.1414) << ',' << std::sin(i * 9.71) << ',' << (a + 2 * noise > 0 ? "p" : "q")
        << '\n';
  }
  return dir / file;
}

Options overfitting(const test::TempDir& dir) {
  Options options;
  options.target = "y";
  options.hidden = {64};
  options.lr = 0.02;
  options.batch = 16;
  options.epochs = 40;
  options.schedule = "constant";
  options.threads = 1;
  options.validation = 0.25;
  options.out = dir / "m.safetensors";
  return options;
}

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

struct Watched {
  std::vector<EpochReport> epochs;
  TrainResult result;
};
Watched watch(const std::string& data, const Options& options) {
  Watched w;
  TrainObserver observer;
  observer.on_epoch = [&](const EpochReport& report) { w.epochs.push_back(report); };
  w.result = train(data, options, observer);
  return w;
}

}  // namespace

TEST_CASE("early stop: the first of the best epochs counts, in the direction of the metric; NaN never does") {
  const auto see = [](EarlyStop& stop, std::int64_t epoch, MetricKind kind, double value) {
    Metrics m;
    (kind == MetricKind::accuracy ? m.accuracy : m.loss) = value;
    return stop.see(epoch, m);
  };
  EarlyStop loss(MetricKind::loss, 2);
  CHECK_FALSE(see(loss, 1, MetricKind::loss, kNoNumber));
  CHECK(loss.best_epoch() == 0);
  CHECK(see(loss, 2, MetricKind::loss, 1.0));
  CHECK_FALSE(see(loss, 3, MetricKind::loss, 1.0));
  CHECK_FALSE(loss.over());
  CHECK_FALSE(see(loss, 4, MetricKind::loss, kNoNumber));
  CHECK(loss.over());
  CHECK(loss.best_epoch() == 2);
  EarlyStop accuracy(MetricKind::accuracy, 0);
  CHECK(see(accuracy, 1, MetricKind::accuracy, 0.25));
  CHECK(see(accuracy, 2, MetricKind::accuracy, 0.5));
  CHECK_FALSE(see(accuracy, 3, MetricKind::accuracy, 0.25));
  CHECK_FALSE(accuracy.over());
  CHECK(accuracy.best_epoch() == 2);
}

TEST_CASE("early stop: the model has the weights of the best epoch, and the run ends after the patience") {
  const test::TempDir dir;
  const std::string data = noisy_table(dir, "t.csv", 120, 1);
  Options options = overfitting(dir);
  for (const MasterKind master : {MasterKind::fp32, MasterKind::kahan}) {
    for (const Norm norm : {Norm::none, Norm::batch}) {
      for (const char* metric : {"auto", "accuracy"}) {
        CAPTURE(name(master));
        CAPTURE(name(norm));
        CAPTURE(metric);
        options.master = master;
        options.norm = norm;
        options.metric = metric;
        options.early_stop = 4;
        options.epochs = 40;
        const Watched w = watch(data, options);
        const MetricKind kind = from_name<MetricKind>(w.result.metric).value();
        CHECK(name(kind) == (options.metric == "auto" ? "loss" : options.metric));
        std::size_t best = 0;
        for (std::size_t i = 1; i < w.epochs.size(); ++i) {
          const double value = value_of(w.epochs[i].eval, kind), least = value_of(w.epochs[best].eval, kind);
          if (higher_is_better(kind) ? value > least : value < least) best = i;
        }
        CHECK(w.epochs[best].best);
        CHECK(w.result.best_epoch == static_cast<std::int64_t>(best) + 1);
        CHECK(w.result.ended == "early stop");
        CHECK(w.epochs.size() == best + 1 + 4);
        CHECK(value_of(w.result.eval, kind) == value_of(w.epochs[best].eval, kind));
        CHECK(inspect(options.out).step == w.epochs[best].steps.applied);
        // A run of so many epochs has the same weights.
        options.early_stop = 0;
        options.epochs = w.result.best_epoch;
        const TrainResult same = train(data, options, {});
        CHECK(same.weights_digest == w.result.weights_digest);
        CHECK(same.best_epoch == 0);
        CHECK(same.ended.empty());
      }
    }
  }
}

TEST_CASE("early stop: of a model that will be calibrated the best epoch is that with the least calibrated loss") {
  const test::TempDir dir;
  const std::string data = noisy_table(dir, "t.csv", 120, 1);
  Options options = overfitting(dir);
  options.early_stop = 30;
  options.epochs = 40;
  std::size_t others = 0;
  for (options.seed = 1; options.seed <= 6; ++options.seed) {
    CAPTURE(options.seed);
    options.calibrate = "temperature";
    options.metric = "auto";
    const Watched w = watch(data, options);
    CHECK(w.result.metric == "calibrated_loss");
    std::size_t best = 0, least = 0;
    for (std::size_t i = 1; i < w.epochs.size(); ++i) {
      if (w.epochs[i].eval.calibrated_loss < w.epochs[best].eval.calibrated_loss) best = i;
      if (w.epochs[i].eval.loss < w.epochs[least].eval.loss) least = i;
    }
    CHECK(w.result.best_epoch == static_cast<std::int64_t>(best) + 1);
    others += best != least ? 1 : 0;
    // Who names a metric has it.
    options.metric = "loss";
    const Watched named = watch(data, options);
    CHECK(named.result.metric == "loss");
    CHECK(named.result.best_epoch == static_cast<std::int64_t>(least) + 1);
    CHECK(std::isnan(named.epochs.front().eval.calibrated_loss));
  }
  CHECK(others > 0);  // it does not come to the same
}

TEST_CASE("a test set beside a validation part: the run watches the one, the model is judged by both") {
  const test::TempDir dir;
  const std::string data = noisy_table(dir, "t.csv", 120, 1);
  Options options = overfitting(dir);
  options.test = noisy_table(dir, "test.csv", 60, 1000);
  options.epochs = 5;
  const Watched w = watch(data, options);
  CHECK(w.result.eval_name == "validation");
  CHECK(w.result.eval.rows == 30);
  CHECK(w.epochs.back().eval.rows == 30);
  REQUIRE(w.result.has_test);
  const Metrics again = evaluate(options.out, options.test, {}).metrics;
  CHECK(w.result.test.rows == 60);
  CHECK(w.result.test.loss == again.loss);
  CHECK(w.result.test.roc_auc == again.roc_auc);

  // Nothing is held out where nothing stops by it; who stops by a test set has none left to be judged by.
  options.validation = 0;
  const Watched tested = watch(data, options);
  CHECK(tested.result.eval_name == "test");
  CHECK_FALSE(tested.result.has_test);
  CHECK(tested.result.train.rows == 120);
  options.early_stop = 3;
  const Watched stopped = watch(data, options);
  CHECK(stopped.result.eval_name == "validation");
  CHECK(stopped.result.eval.rows == 12);
  CHECK(stopped.result.has_test);
}

TEST_CASE("a limit of time ends a run, which then has a model") {
  const test::TempDir dir;
  const std::string data = noisy_table(dir, "t.csv", 120, 1);
  Options options = overfitting(dir);
  options.time_limit = 1e-9;
  const Watched w = watch(data, options);
  CHECK(w.result.ended == "time limit");
  CHECK_FALSE(w.result.stopped);
  CHECK(w.result.steps.attempted == 1);
  CHECK(inspect(options.out).step == 1);
  options.time_limit = 1e9;
  options.epochs = 2;
  CHECK(watch(data, options).result.ended.empty());
}

TEST_CASE("a metric that does not suit the targets is refused, whether or not the task is named") {
  const test::TempDir dir;
  const std::string data = noisy_table(dir, "t.csv", 120, 1);
  Options options = overfitting(dir);
  options.metric = "rmse";
  for (const Task task : {Task::automatic, Task::classify}) {
    options.task = task;
    try {
      train(data, options, {});
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_argument);
      CHECK(std::string(error.what()).find("accuracy") != std::string::npos);
    }
  }
}

}  // namespace halfstep::internal
