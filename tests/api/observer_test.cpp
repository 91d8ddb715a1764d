// A callback of the caller's that throws ends a run: its exception arrives as it is, and nothing stays behind.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "support/failing_new.hpp"

namespace halfstep::internal {
namespace {

// No Error, no std::exception: what the library could not have thrown by itself.
struct Stop {
  std::string where;
};

struct Callback {
  const char* name;
  void (*set)(TrainObserver&);
};
constexpr Callback kCallbacks[] = {
    {"on_plan", [](TrainObserver& o) { o.on_plan = [](const RunPlan&) { throw Stop{"on_plan"}; }; }},
    {"on_epoch", [](TrainObserver& o) { o.on_epoch = [](const EpochReport&) { throw Stop{"on_epoch"}; }; }},
    {"on_step", [](TrainObserver& o) { o.on_step = [](const StepRecord&) { throw Stop{"on_step"}; }; }},
    {"on_meter", [](TrainObserver& o) { o.on_meter = [](const MeterReport&) { throw Stop{"on_meter"}; }; }},
    {"should_stop", [](TrainObserver& o) { o.should_stop = []() -> bool { throw Stop{"should_stop"}; }; }},
};

Options small_run(const test::TempDir& dir, int threads) {
  Options options;
  options.out = dir / "m.safetensors";
  options.metrics = dir / "metrics.jsonl";
  options.hidden = {300, 40};  // large enough to be shared among threads
  options.batch = 100;
  options.steps = 12;
  options.meter_every = 2;
  options.threads = threads;
  return options;
}

// The exception of train(); empty when there was none.
std::string stopped_by(const Options& options, const TrainObserver& observer) {
  try {
    train("builtin:spirals", options, observer);
  } catch (const Stop& stop) {
    return stop.where;
  }
  return "";
}

}  // namespace

TEST_CASE("a callback that throws: the exception arrives, an older model stays, the next run is as ever") {
  for (const int threads : {1, 2}) {
    const test::TempDir dir;
    const Options options = small_run(dir, threads);
    const std::string digest = train("builtin:spirals", options, {}).weights_digest;
    const std::string model = test::read_bytes(options.out);
    for (const Callback& callback : kCallbacks) {
      CAPTURE(threads);
      CAPTURE(callback.name);
      TrainObserver observer;
      callback.set(observer);
      CHECK(stopped_by(options, observer) == callback.name);
      CHECK(test::read_bytes(options.out) == model);
      CHECK(dir.entries() == 2);  // model and metrics, no temporary
      CHECK(train("builtin:spirals", options, {}).weights_digest == digest);
    }
  }
}

TEST_CASE("a callback that throws leaves no memory behind") {
  const test::TempDir dir;
  const Options options = small_run(dir, 1);  // threads of a pool may end later
  for (const Callback& callback : kCallbacks) {
    CAPTURE(callback.name);
    TrainObserver observer;
    callback.set(observer);
    stopped_by(options, observer);  // what a process keeps for ever, it has now
    const long before = test::allocations().held;
    stopped_by(options, observer);
    CHECK(test::allocations().held == before);
  }
}

TEST_CASE("should_stop ends a run after the step that is under way, with a model") {
  const test::TempDir dir;
  const Options options = small_run(dir, 1);
  int asked = 0;
  TrainObserver observer;
  observer.should_stop = [&] { return ++asked == 5; };
  const TrainResult result = train("builtin:spirals", options, observer);
  CHECK(result.stopped);
  CHECK(result.steps.attempted == 5);
  CHECK(inspect(options.out).step == result.steps.applied);
  CHECK(inspect(options.out).weights_digest == result.weights_digest);
}

}  // namespace halfstep::internal
