// Whole runs in which steps overflow: what is skipped, retried, told and kept.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "optim/schedule.hpp"
#include "support/effort.hpp"
#include "text/json.hpp"

namespace halfstep::internal {
namespace {

std::string fashion_mnist() {
  const char* folder = std::getenv("HALFSTEP_TEST_DATA");
  const std::filesystem::path path =
      std::filesystem::path(folder ? folder : HS_SOURCE_DIR "/../shared/data") / "fashion-mnist";
  const bool there = std::filesystem::exists(path) && test::test_effort() == 1;
  if (!there) MESSAGE("skipped: no test data fashion-mnist, or a quick run");
  return there ? path.string() : "";
}

Options fp16_run(const test::TempDir& dir) {
  Options options;
  options.out = dir / "model.safetensors";
  options.hidden = {48, 33};
  options.batch = 50;
  options.steps = 60;
  options.precision = Dtype::fp16;
  options.threads = 1;
  return options;
}

struct Run {
  std::vector<StepRecord> records;
  TrainResult result;
  ErrorParts error;  // empty: the run ended well
};

Run run(const std::string& data, const Options& options) {
  Run out;
  TrainObserver observer;
  observer.on_step = [&](const StepRecord& r) { out.records.push_back(r); };
  try {
    out.result = train(data, options, observer);
  } catch (const Error& error) {
    CHECK(error.status() == Status::diverged);
    out.error = error.parts();
  }
  return out;
}

bool weights_are_finite(const std::string& model) {
  try {
    const Metrics metrics = evaluate(model, "builtin:digits", {}).metrics;
    return std::isfinite(metrics.loss);
  } catch (const Error&) {
    return false;
  }
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// accelerate#4242 and pytorch#44511: the schedule must not advance on a skipped step.
TEST_CASE("incidents: every attempted step is recorded, and the rate follows the applied ones") {
  const test::TempDir dir;
  Options options = fp16_run(dir);
  options.scale_init = 16777216;
  options.schedule = "linear";
  options.warmup = 7;
  options.metrics = dir / "m.jsonl";
  const Run r = run("builtin:digits", options);
  REQUIRE(r.records.size() == 60);
  const Schedule schedule{ScheduleKind::linear, options.lr, 7, 60};
  std::int64_t applied = 0, skipped = 0;
  for (std::size_t i = 0; i < r.records.size(); ++i) {
    const StepRecord& record = r.records[i];
    CHECK(record.step == static_cast<std::int64_t>(i) + 1);
    CHECK(record.lr == schedule.at(applied));
    const bool skip = record.outcome == StepOutcome::skipped;
    ++(skip ? skipped : applied);
    CHECK(record.applied == applied);
    CHECK(skip == (record.cause == StepCause::scale));
    CHECK(skip == !record.tensors.empty());
    CHECK(std::isfinite(record.loss));
  }
  CHECK(skipped > 0);
  CHECK(r.result.steps.skipped == skipped);
  CHECK(r.result.steps.applied == applied);
  REQUIRE(!r.result.ledger.empty());
  CHECK(r.result.ledger.front().most_loss_scale == 16777216);
  const std::string log = contents(options.metrics);
  std::int64_t events = 0;
  for (std::size_t at = 0; (at = log.find("{\"event\":\"skipped\"", at)) != std::string::npos; ++at) ++events;
  CHECK(events == skipped);
  const json::Value line = json::parse(log.substr(0, log.find('\n')));
  CHECK(line.at("cause").as_string() == "scale");
  CHECK(line.at("step").as_integer() == 1);
  CHECK(line.at("tensors").as_array().size() > 1);
}

TEST_CASE("incidents: headroom loses no batch where the dynamic scale loses many") {
  const test::TempDir dir;
  Options options = fp16_run(dir);
  options.scale_init = 16777216;
  const Run dynamic = run("builtin:digits", options);
  options.loss_scale = "headroom";
  const Run headroom = run("builtin:digits", options);
  CHECK(dynamic.result.steps.skipped >= 3);
  CHECK(headroom.result.steps.skipped == 0);
  CHECK(headroom.result.steps.applied == 60);
  CHECK(headroom.result.steps.retried >= 1);
  CHECK(headroom.result.steps.retried <= 2);
  CHECK(headroom.records.front().outcome == StepOutcome::retried);
  CHECK(headroom.records.front().reruns >= 1);
  CHECK(headroom.result.eval.loss <= 1.02 * dynamic.result.eval.loss);
}

TEST_CASE("incidents: a run that skips more than it was allowed fails and keeps what it has") {
  const test::TempDir dir;
  Options options = fp16_run(dir);
  options.scale_init = 16777216;
  options.max_skip_rate = 0.02;
  const Run r = run("builtin:digits", options);
  CHECK(r.error.what == "training only pretends to learn");
  CHECK(r.error.why.find("--max-skip-rate 0.02") != std::string::npos);
  CHECK(r.error.kept.find("model.last-good.safetensors") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(options.out));
  CHECK(weights_are_finite(dir / "model.last-good.safetensors"));
}

TEST_CASE("incidents: at the floor the run stops, names the tensor and keeps the untouched weights") {
  const test::TempDir dir;
  Options options = fp16_run(dir);
  options.steps = 400;
  options.scale_init = 16777216;
  options.scale_min = 16777216;
  const Run r = run("builtin:digits", options);
  CHECK(r.records.size() == 20);
  CHECK(r.error.where.find("step 20, layers.2.d") != std::string::npos);
  CHECK(r.error.why.find("loss scale 16777216, the smallest allowed") != std::string::npos);
  CHECK(r.error.kept.find("no good weights yet") != std::string::npos);
  CHECK(r.error.hint.find("--scale-min 256") != std::string::npos);
}

// WSL-Images#9: a scale of 1e-314 because of a NaN that no scale could have helped.
TEST_CASE("incidents: the scale does not fall for what it did not cause") {
  const test::TempDir dir;
  Options options = fp16_run(dir);
  options.lr = 1e3;
  options.steps = 2000;
  const Run r = run("builtin:digits", options);
  REQUIRE(!r.error.what.empty());
  const StepRecord& last = r.records.back();
  CHECK((last.cause == StepCause::forward || last.cause == StepCause::weights));
  double before = 0;
  for (const StepRecord& record : r.records) {
    if (before > 0) CHECK(record.loss_scale == before);
    const bool scaled_away = record.cause == StepCause::scale || record.cause == StepCause::gradient;
    before = record.outcome == StepOutcome::skipped && !scaled_away ? record.loss_scale : 0;
  }
  CHECK(r.error.where.find("step " + std::to_string(last.step)) != std::string::npos);
  CHECK(r.error.hint.find("--lr 0.001") != std::string::npos);
  options.loss_scale = "compatible";
  const Run same = run("builtin:digits", options);
  CHECK(same.records.back().loss_scale < last.loss_scale);  // PyTorch's scaler shrinks all the same
}

TEST_CASE("incidents: a run that learned before it diverged leaves good weights") {
  if (test::test_effort() < 1) {
    MESSAGE("skipped: quick run");
    return;
  }
  for (MasterKind master : {MasterKind::fp32, MasterKind::kahan}) {
    const test::TempDir dir;
    Options options = fp16_run(dir);
    options.master = master;
    options.warmup = 20000;  // the rate rises until the pull of the weight decay oversteps zero and grows
    options.steps = 5000;
    options.weight_decay = 0.1;
    options.schedule = "constant";
    options.optimizer = OptimizerKind::sgd;
    options.momentum = 0;
    options.lr = 400;
    const Run r = run("builtin:digits", options);
    REQUIRE(!r.error.what.empty());
    CHECK(r.error.kept.find("model.last-good.safetensors") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(options.out));
    CHECK(weights_are_finite(dir / "model.last-good.safetensors"));
  }
}

TEST_CASE("incidents: an update beyond fp32 in the very last step is noticed") {
  const test::TempDir dir;
  for (Dtype precision : {Dtype::fp16, Dtype::bf16, Dtype::fp32}) {
    Options options = fp16_run(dir);
    options.precision = precision;
    options.optimizer = OptimizerKind::sgd;
    options.lr = 3e38;
    options.momentum = 0;
    options.weight_decay = 1e3;
    options.steps = 1;
    const Run r = run("builtin:digits", options);
    CHECK(r.error.why.find("a weight is non-finite") != std::string::npos);
    CHECK(r.error.kept.find("no good weights yet") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(options.out));
  }
}

TEST_CASE("incidents: fp16 on Fashion-MNIST, learning rates from 1e-4 to 3e-2") {
  const std::string data = fashion_mnist();
  if (data.empty()) return;
  const test::TempDir dir;
  for (double lr : {1e-4, 1e-3, 3e-3, 1e-2, 3e-2}) {
    CAPTURE(lr);
    Options options = fp16_run(dir);
    options.hidden = {128, 64};
    options.batch = 128;
    options.steps = 0;
    options.epochs = 2;
    options.lr = lr;
    const Run r = run(data, options);
    CHECK(r.error.what.empty());
    CHECK(std::isfinite(evaluate(options.out, data, options).metrics.loss));
    CHECK(r.result.eval.accuracy > 0.7);
  }
  Options options = fp16_run(dir);
  options.lr = 1e3;
  options.batch = 128;
  options.steps = 2000;
  const Run r = run(data, options);
  CHECK(r.error.what == "training diverged");
  CHECK(r.records.size() < 200);
}

TEST_CASE("incidents: on Fashion-MNIST headroom learns as well and loses fewer steps") {
  const std::string data = fashion_mnist();
  if (data.empty()) return;
  const test::TempDir dir;
  double loss[2];
  std::int64_t skipped[2];
  for (int i = 0; i < 2; ++i) {
    Options options = fp16_run(dir);
    options.hidden = {256, 128};
    options.batch = 128;
    options.steps = 0;
    options.epochs = 4;
    options.loss_scale = i == 0 ? "compatible" : "headroom";
    options.scale_interval = i == 0 ? 200 : 2000;
    const Run r = run(data, options);
    loss[i] = r.result.eval.loss;
    skipped[i] = r.result.steps.skipped;
  }
  MESSAGE("test loss ", loss[0], " compatible, ", loss[1], " headroom; skipped ", skipped[0], " and ", skipped[1]);
  CHECK(skipped[1] == 0);
  CHECK(skipped[0] > 0);
  CHECK(loss[1] <= 1.02 * loss[0]);
}

}  // namespace halfstep::internal
