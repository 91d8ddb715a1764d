// Averages of the weights beside plain sums of what a run's steps and epochs ended with; and the rate that drops.
#include "run/averaging.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "kernels/dispatch.hpp"
#include "run/early_stop.hpp"
#include "run/trainer_options.hpp"
#include "support/model.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kRows = 60, kInputs = 6, kClasses = 3;

data::Examples averaged_set() {
  const test::Examples random(kRows, kInputs, kClasses);
  data::Examples set;
  set.rows = kRows;
  set.features = kInputs;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  return set;
}

Options averaged_options() {
  Options options;
  options.batch = 10;
  options.steps = 45;
  options.lr = 0.05;
  return options;
}

ModelSpec averaged_spec(Norm norm) {
  return {.widths = {kInputs, 12, kClasses}, .norm = norm, .precision = Dtype::bf16};
}

struct AveragedRun {
  explicit AveragedRun(const Options& options, Norm norm)
      : set(averaged_set()),
        executor(make_executor(1, "serial")),
        trainer(select_isa(), *executor, trainer_config(options, averaged_spec(norm), kRows), &set),
        averaging(options, trainer) {}

  data::Examples set;
  std::unique_ptr<Executor> executor;
  StepTrainer trainer;
  Averaging averaging;
};

using AllWeights = std::vector<double>;

AllWeights all_weights(StepTrainer& trainer) {
  AllWeights all;
  for (const NamedTensor& tensor : trainer.model().tensors()) {
    all.insert(all.end(), tensor.values.begin(), tensor.values.end());
  }
  return all;
}

double largest_difference(const AllWeights& a, const AllWeights& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

// AllWeights times shares that sum to one.
void add(AllWeights& mean, const AllWeights& weights, double share) {
  if (mean.empty()) mean.resize(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) mean[i] += share * (weights[i] - mean[i]);
}

}  // namespace

TEST_CASE("averaging: ema is what its formula says, every ten applied steps, and leaves the run as it is") {
  for (const Norm norm : {Norm::none, Norm::batch}) {
    Options options = averaged_options();
    AveragedRun plain(options, norm);
    options.ema = 0.9;
    AveragedRun averaged(options, norm);
    AllWeights mean;
    for (int step = 1; step <= 45; ++step) {
      plain.trainer.step();
      averaged.trainer.step();
      averaged.averaging.after_applied_step();
      const double kept = std::min(0.9, (1.0 + step) / (10.0 + step));
      if (step == 1) add(mean, all_weights(plain.trainer), 1);
      if (step % 10 == 0) add(mean, all_weights(plain.trainer), 1 - std::pow(kept, 10));
    }
    CHECK(averaged.trainer.averaged() == 5);
    const AllWeights now = all_weights(plain.trainer);
    CHECK(all_weights(averaged.trainer) == now);
    const Metrics of_weights = averaged.trainer.evaluate(averaged.set, {}, {});
    {
      const Averaging::InPlace average(averaged.averaging);
      CHECK(largest_difference(all_weights(averaged.trainer), mean) < 1e-6);
      CHECK(largest_difference(now, mean) > 1e-3);
      CHECK(averaged.trainer.evaluate(averaged.set, {}, {}).loss != of_weights.loss);
    }
    CHECK(all_weights(averaged.trainer) == now);
    CHECK(averaged.trainer.evaluate(averaged.set, {}, {}).loss == of_weights.loss);
    // And the steps that follow are those of the run without.
    plain.trainer.step();
    averaged.trainer.step();
    CHECK(all_weights(averaged.trainer) == all_weights(plain.trainer));
    averaged.averaging.settle();
    CHECK(largest_difference(all_weights(averaged.trainer), mean) < 1e-6);
  }
}

TEST_CASE("averaging: the mean of what the last epochs ended with") {
  for (const std::int64_t wanted : {1, 3, 8, 50}) {
    CAPTURE(wanted);
    Options options = averaged_options();  // 45 steps of ten rows: seven epochs and a half
    options.average_epochs = wanted;
    AveragedRun run(options, Norm::none);
    AllWeights mean;
    std::int64_t counted = 0;
    for (std::int64_t epoch = 1; epoch <= 8; ++epoch) {
      while (!run.trainer.done() && run.trainer.clock().epoch < epoch) run.trainer.step();
      run.averaging.after_epoch(epoch);
      if (epoch > 8 - wanted) add(mean, all_weights(run.trainer), 1.0 / static_cast<double>(++counted));
    }
    CHECK(run.trainer.averaged() == counted);
    run.averaging.settle();
    CHECK(largest_difference(all_weights(run.trainer), mean) < 1e-6);
  }
}

TEST_CASE("averaging: without one nothing is averaged") {
  AveragedRun run(averaged_options(), Norm::none);
  run.trainer.step();
  run.averaging.after_applied_step();
  run.averaging.after_epoch(1);
  const AllWeights before = all_weights(run.trainer);
  run.averaging.settle();
  CHECK(all_weights(run.trainer) == before);
  CHECK(run.trainer.averaged() == 0);
}

TEST_CASE("averaging: the model that is saved is the one that was measured, at any number of threads") {
  const test::TempDir dir;
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {16};
  options.epochs = 12;
  const std::string last = train("builtin:spirals", options, {}).weights_digest;
  for (const bool ema : {true, false}) {
    CAPTURE(ema);
    Options other = options;
    if (ema) {
      other.ema = 0.99;
    } else {
      other.average_epochs = 4;
    }
    std::vector<EpochReport> epochs;
    TrainObserver observer;
    observer.on_epoch = [&](const EpochReport& report) { epochs.push_back(report); };
    const TrainResult result = train("builtin:spirals", other, observer);
    CHECK(result.weights_digest != last);
    CHECK(result.eval.loss == epochs.back().eval.loss);
    CHECK(inspect(options.out).weights_digest == result.weights_digest);
    other.threads = 3;
    CHECK(train("builtin:spirals", other, {}).weights_digest == result.weights_digest);
    other.threads = 0;
    if (!ema) continue;
    other.early_stop = 3;  // keeps the best average
    const TrainResult best = train("builtin:spirals", other, observer);
    const auto same_epoch =
        std::find_if(epochs.rbegin(), epochs.rend(), [&](const EpochReport& e) { return e.epoch == best.best_epoch; });
    REQUIRE(same_epoch != epochs.rend());
    CHECK(best.eval.loss == same_epoch->eval.loss);
  }
}

TEST_CASE("averaging: parameters that do not go together") {
  const auto refused = [](auto change) {
    Options options;
    change(options);
    try {
      validate(options);
    } catch (const Error& error) {
      return error.status() == Status::invalid_argument;
    }
    return false;
  };
  CHECK(refused([](Options& o) { o.ema = 0.9, o.average_epochs = 2; }));
  CHECK(refused([](Options& o) { o.ema = 0.9, o.master = MasterKind::kahan; }));
  CHECK(refused([](Options& o) { o.average_epochs = 2, o.early_stop = 2; }));
  CHECK(refused([](Options& o) { o.average_epochs = 2, o.time_limit = 2; }));
  CHECK(refused([](Options& o) { o.decay_patience = 2; }));
  CHECK(refused([](Options& o) { o.schedule = "plateau", o.decays = 3; }));
  CHECK_FALSE(refused([](Options& o) { o.schedule = "plateau", o.decay_patience = 2, o.decay = 0.5; }));
}

TEST_CASE("plateau: the rate drops after so many epochs without a best one, and again after as many more") {
  Plateau plateau(2, 0.5);
  const std::int64_t best[] = {1, 2, 2, 2, 2, 2, 7, 7, 7};
  const double factor[] = {1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125};
  for (std::int64_t epoch = 1; epoch <= 9; ++epoch) {
    CAPTURE(epoch);
    CHECK(plateau.see(epoch, best[epoch - 1]) == factor[epoch - 1]);
  }
  Plateau without_any(1, 0.1);
  CHECK(without_any.see(1, 0) == 0.1);
}

TEST_CASE("plateau: a run's rate follows its held-out metric") {
  const test::TempDir dir;
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {32};
  options.lr = 0.3;  // too high to get far
  options.epochs = 30;
  options.schedule = "plateau";
  options.decay = 0.5;
  options.decay_patience = 2;
  std::vector<EpochReport> epochs;
  TrainObserver observer;
  observer.on_epoch = [&](const EpochReport& report) { epochs.push_back(report); };
  const TrainResult result = train("builtin:spirals", options, observer);
  CHECK(result.eval_name == "validation");
  double lr = options.lr;
  std::int64_t best = 0, counted_from = 0;
  for (const EpochReport& e : epochs) {
    CAPTURE(e.epoch);
    CHECK(e.lr == doctest::Approx(lr).epsilon(1e-12));
    if (e.best) best = e.epoch;
    if (e.epoch - std::max(best, counted_from) < 2) continue;
    lr *= 0.5;
    counted_from = e.epoch;
  }
  CHECK(lr < options.lr);
  // With a test set it holds rows out for this.
  options.test = "builtin:spirals";
  CHECK(train("builtin:spirals", options, {}).eval_name == "validation");
}

TEST_CASE("a search for a learning rate: its rate trains well, one beyond the explosion does not") {
  Options options;
  options.threads = 1;
  const RateSearch found = find_learning_rate("builtin:digits", options);
  REQUIRE(found.points.size() > 50);
  for (std::size_t i = 1; i < found.points.size(); ++i) CHECK(found.points[i].lr > found.points[i - 1].lr);
  CHECK(found.points.front().lr == 1e-6);
  CHECK(found.suggested > 1e-4);
  CHECK(found.suggested < 0.1);
  CHECK(found.suggested == found.least / 10);
  const auto least = std::min_element(found.points.begin(), found.points.end(),
                                      [](const RatePoint& a, const RatePoint& b) { return a.loss < b.loss; });
  CHECK(least->lr == found.least);
  options.threads = 3;
  CHECK(find_learning_rate("builtin:digits", options).points.back().loss == found.points.back().loss);
  options.lr = 0.1;
  CHECK_THROWS_WITH_AS(find_learning_rate("builtin:digits", options), doctest::Contains("--lr"), Error);
  Options others;
  others.init_from = "m.safetensors";
  CHECK_THROWS_WITH_AS(find_learning_rate("builtin:digits", others), doctest::Contains("--init-from"), Error);
  CHECK_THROWS_WITH_AS(cross_validate("builtin:spirals", 3, others), doctest::Contains("--init-from"), Error);
  others = {};
  others.checkpoint_dir = "c";
  CHECK_THROWS_WITH_AS(cross_validate("builtin:spirals", 3, others), doctest::Contains("--checkpoint-dir"), Error);
  int asked = 0;
  CHECK(find_learning_rate("builtin:digits", Options{}, [&] { return ++asked > 5; }).points.size() == 5);
}

}  // namespace halfstep::internal
