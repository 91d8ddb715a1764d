// Whether a smaller rate or a clip would have done is tried, not judged: what is said of a rate holds for a run with
// it.
#include "run/step_trials.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "halfstep/diagnosis.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "kernels/dispatch.hpp"
#include "support/model.hpp"

namespace halfstep::internal::trials {
namespace {

std::string values_to_explain(const test::TempDir& dir) {
  std::ofstream out(dir / "t.csv");
  out << "a,b,y\n";
  for (int i = 0; i < 200; ++i) {
    const double a = std::sin(i * 12.9898), b = std::cos(i * 4.1414);
    out << a << ',' << b << ',' << a - 2 * b + a * b << '\n';
  }
  return dir / "t.csv";
}

Options steep(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {12};
  options.batch = 32;
  options.steps = 60;
  options.optimizer = OptimizerKind::sgd;
  options.precision = Dtype::fp32;
  options.schedule = "constant";
  options.lr = 30;
  options.threads = 1;
  return options;
}

struct Ran {
  std::vector<Incident> incidents;
  bool diverged = false;
  std::int64_t skipped = 0;
};

Ran run(const std::string& data, const Options& options) {
  Ran ran;
  TrainObserver observer;
  observer.on_incident = [&](const Incident& i) { ran.incidents.push_back(i); };
  try {
    ran.skipped = train(data, options, observer).steps.skipped;
  } catch (const Error& error) {
    ran.diverged = error.status() == Status::diverged;
  }
  return ran;
}

// "..., --lr 0.03 stays finite for 16 steps, loss 3 to 0.5": where the loss does not rise.
double rate_that_did(const std::string& tried) {
  const std::size_t end = tried.find(" steps, loss ");
  const std::size_t begin = tried.rfind("--lr ", end);
  return end == std::string::npos || begin == std::string::npos ? 0 : std::stod(tried.substr(begin + 5));
}

}  // namespace

TEST_CASE("trials: of a run from its start a rate is found at which its steps stay finite, and a run with it does") {
  const test::TempDir dir;
  const std::string data = values_to_explain(dir);
  Options options = steep(dir);
  const Ran bad = run(data, options);
  REQUIRE(!bad.incidents.empty());
  const std::string tried = bad.incidents.front().tried;
  CAPTURE(tried);
  CHECK(tried.find("steps from the start made again: --lr 3") != std::string::npos);
  CHECK(tried.find("--clip-norm ") != std::string::npos);
  CHECK(text(bad.incidents.front()).find("  tried   the ") != std::string::npos);
  for (std::size_t i = 1; i < bad.incidents.size(); ++i) CHECK(bad.incidents[i].tried.empty());  // once in a run
  const double rate = rate_that_did(tried);
  REQUIRE(rate > 0);
  // The capsule says it too.
  CHECK(diagnose(dir / "m.capsule.safetensors", options).incident.tried == tried);
  options.lr = rate;
  options.on_nonfinite = "stop";
  const Ran mended = run(data, options);
  CHECK_FALSE(mended.diverged);
  CHECK(mended.skipped == 0);
}

TEST_CASE("trials: a rate that rises is tried from the last good weights") {
  const test::TempDir dir;
  Options options = steep(dir);
  options.steps = 2000;
  options.warmup = 12000;
  const Ran bad = run(values_to_explain(dir), options);
  REQUIRE(!bad.incidents.empty());
  const std::string& tried = bad.incidents.front().tried;
  CAPTURE(tried);
  CHECK(bad.incidents.front().step > 160);
  CHECK(tried.find("steps from the weights after ") != std::string::npos);
  CHECK(rate_that_did(tried) > 0);
}

TEST_CASE("trials: of a run that stays finite, and where there is nothing to begin with, nothing is said") {
  const test::Examples random(40, 6, 3);
  data::Examples set;
  set.rows = 40;
  set.features = 6;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  const std::unique_ptr<Executor> executor = make_executor(1, "serial");
  StepTrainer trainer(select_isa(), *executor,
                      {.model = {.widths = {6, 12, 3}}, .rows = 40, .batch = 8, .schedule = {.lr = 0.01, .steps = 20}},
                      &set);
  for (int i = 0; i < 12; ++i) trainer.step();
  CHECK(try_steps(trainer, set, true).empty());
  CHECK(try_steps(trainer, set, false).empty());
  CHECK(try_steps(trainer, set, true, {.steps = 0}).empty());
}

}  // namespace halfstep::internal::trials
