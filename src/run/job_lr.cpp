// A search for a learning rate: training while the rate rises.
#include <algorithm>
#include <cmath>
#include <optional>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "run/machine.hpp"
#include "run/memory_check.hpp"
#include "run/options_registry.hpp"
#include "run/prepare.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"
#include "train/trainer.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr int kSteps = 200;
constexpr double kFirst = 1e-6, kLast = 10;
constexpr double kExplosion = 4;  // times the least loss
constexpr int kSettled = 10;      // steps before which nothing is said to explode
constexpr int kMostSkips = 20;    // in a row: a loss scale that starts too high needs fewer

// Of a mean whose weights fall by `kKept` with each step: that of its first values too is one of all of them.
class Smoothed {
 public:
  double add(double value) {
    sum_ = kKept * sum_ + (1 - kKept) * value;
    weight_ = kKept * weight_ + (1 - kKept);
    return sum_ / weight_;
  }

 private:
  static constexpr double kKept = 0.95;
  double sum_ = 0, weight_ = 0;
};

void check(const Options& options) {
  for (const char* name : {"lr",         "schedule",    "warmup",       "epochs",         "steps",          "test",
                           "early-stop", "time-limit",  "ema",          "average-epochs", "metric",         "out",
                           "metrics",    "tensorboard", "report",       "meter-every",    "checkpoint-dir", "resume",
                           "init-from",  "capsule",     "on-nonfinite", "calibrate",      "refit",          "bag"}) {
    if (get_option(options, name) == get_option(Options{}, name)) continue;
    throw Error(Status::invalid_argument, {.what = "a search for a learning rate does not have this parameter",
                                           .where = "--" + std::string(name),
                                           .why = "it has steps and rates of its own, and writes nothing",
                                           .kept = {},
                                           .hint = "leave it out"});
  }
}

double rate_of(int step) { return kFirst * std::pow(kLast / kFirst, static_cast<double>(step) / (kSteps - 1)); }

void search(StepTrainer& trainer, const std::function<bool()>& should_stop, RateSearch& out) {
  Smoothed smoothed;
  double least = 0;
  int skips = 0;
  for (int step = 0; step < kSteps && skips < kMostSkips; ++step) {
    if (should_stop && should_stop()) return;
    const double rate = rate_of(step);
    trainer.set_rate_factor(rate);
    const StepRecord record = trainer.step();
    skips = record.outcome == StepOutcome::skipped ? skips + 1 : 0;
    if (skips > 0) continue;
    const double loss = smoothed.add(record.loss);
    if (out.points.empty() || loss < least) {
      least = loss;
      out.least = rate;
    }
    out.points.push_back({rate, loss});
    out.exploded = step >= kSettled && loss > kExplosion * least;
    if (out.exploded) return;
  }
  out.exploded = skips == kMostSkips;
}

}  // namespace

RateSearch find_learning_rate(const std::string& data, const Options& given, const std::function<bool()>& should_stop) {
  validate(given);
  check(given);
  Options options = given;
  options.lr = 1;  // the factor is the rate
  options.schedule = "constant";
  options.steps = kSteps;
  const Machine machine(options);
  Source source(data, options, {machine.executor.get()});
  source.settle(options);
  options.bag = 1;
  const Prepared prepared = prepare(std::move(source), options, {machine.executor.get()});
  const ModelSpec spec = spec_of(prepared, options);
  const TrainerConfig config = trainer_config(options, spec, prepared.train.rows);
  check_memory(run_shape(config, memory_of(prepared.train), machine.executor->threads()));
  StepTrainer trainer(*machine.kernels, *machine.executor, config, &prepared.train);
  RateSearch out;
  out.notes = prepared.notes;
  search(trainer, should_stop, out);
  // At the first rates nothing has been learned yet.
  const bool fell = !out.points.empty() && out.least > 10 * kFirst;
  out.suggested = fell ? out.least / 10 : 0;
  return out;
}

}  // namespace halfstep
