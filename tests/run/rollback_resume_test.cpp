// A run that goes back to good weights, stopped between them and the step that went wrong.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

// A number that two others explain.
std::string values_to_explain(const test::TempDir& dir) {
  std::ofstream out(dir / "t.csv");
  out << "a,b,y\n";
  for (int i = 0; i < 200; ++i) {
    const double a = std::sin(i * 12.9898), b = std::cos(i * 4.1414);
    out << a << ',' << b << ',' << a - 2 * b + a * b << '\n';
  }
  return dir / "t.csv";
}

// A rate that rises until the loss explodes.
Options exploding(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {12};
  options.batch = 32;
  options.steps = 500;
  options.optimizer = OptimizerKind::sgd;
  options.schedule = "constant";
  options.warmup = 3000;
  options.lr = 30;
  options.on_nonfinite = "rollback";
  options.capsule = "none";
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("rollback: a run that stops between its good weights and the step that goes wrong has the same bits") {
  const test::TempDir dir;
  const std::string data = values_to_explain(dir);
  Options options = exploding(dir);
  const TrainResult whole = train(data, options, {});
  REQUIRE(!whole.recoveries.empty());
  CAPTURE(whole.recoveries.front());
  REQUIRE(whole.recoveries.front().find("went back to the weights after") != std::string::npos);
  REQUIRE(whole.recoveries.front().find(" after 0 applied") == std::string::npos);
  const std::int64_t wrong = std::stoll(whole.recoveries.front().substr(5));
  options.checkpoint_dir = dir / "c";
  options.resume = "auto";
  TrainObserver observer;
  std::int64_t at = 0;
  observer.on_step = [&](const StepRecord& record) { at = record.step; };
  observer.should_stop = [&] { return at == wrong - 1 || at == wrong + 3; };
  TrainResult part;
  for (int i = 0; i < 3; ++i) part = train(data, options, observer);
  CHECK(part.resumed_at == wrong + 3);
  CHECK(part.recoveries == whole.recoveries);
  CHECK(part.weights_digest == whole.weights_digest);
}

}  // namespace halfstep::internal
