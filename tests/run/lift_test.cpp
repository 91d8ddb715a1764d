// Layers that --on-nonfinite rollback stores in a wider type: the run goes on from where it was, its files say so, and
// a run that stops after it goes on with the same bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "kernels/dispatch.hpp"
#include "run/capsule_file.hpp"
#include "run/model_file.hpp"
#include "run/trainer_place.hpp"
#include "support/model.hpp"

namespace halfstep::internal::lifts {
namespace {

// Two words that three numbers of some hundreds explain: products of two of them do not fit fp16.
std::string large_numbers(const test::TempDir& dir) {
  std::ofstream out(dir / "t.csv");
  out << "a,b,c,y\n";
  for (int i = 0; i < 240; ++i) {
    const double a = std::sin(i * 12.9898), b = std::cos(i * 4.1414), c = std::sin(i * 7.77);
    out << 900 * a << ',' << 900 * b << ',' << 900 * c << ',' << (a + b * c > 0 ? "yes" : "no") << '\n';
  }
  return dir / "t.csv";
}

Options gated(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.layer = "gated";
  options.hidden = {16, 16};
  options.batch = 32;
  options.steps = 60;
  options.lr = 0.001;
  options.precision = Dtype::fp16;
  options.standardize = "none";
  options.on_nonfinite = "rollback";
  options.threads = 1;
  return options;
}

bool said(const std::vector<std::string>& lines, const std::string& what) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

data::Examples random_set() {
  const test::Examples random(40, 6, 3);
  data::Examples set;
  set.rows = 40;
  set.features = 6;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  return set;
}

struct Placed {
  std::unique_ptr<Executor> executor = make_executor(1, "serial");
  data::Examples set = random_set();
  TrainerPlace place;

  explicit Placed(OptimizerKind kind)
      : place(select_isa(), *executor,
              {.model = {.widths = {6, 12, 9, 3}, .norm = Norm::batch, .dropout = 0.2, .precision = Dtype::fp16},
               .optimizer = {.kind = kind},
               .rows = 40,
               .batch = 8,
               .schedule = {.lr = 0.01, .steps = 40},
               .keeps_best = true,
               .averages = true},
              set) {}
  void steps(int count) {
    for (int i = 0; i < count; ++i) place.trainer().step();
  }
  std::string digest() { return weights_digest(place.trainer().model().tensors()); }
};

}  // namespace

TEST_CASE("lift: a trainer that is built anew with the layers it had goes on with the same bits") {
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::sgd}) {
    Placed whole(kind), anew(kind);
    whole.steps(23);
    anew.steps(9);
    const StepTrainer* const before = &anew.place.trainer();
    anew.place.set_layers({Dtype::fp16, Dtype::fp16, Dtype::fp16});
    CHECK(&anew.place.trainer() == before);
    anew.steps(14);
    CHECK(anew.digest() == whole.digest());
    CHECK(anew.place.trainer().clock() == whole.place.trainer().clock());
    CHECK(anew.place.trainer().recent().list().size() == whole.place.trainer().recent().list().size());
  }
}

TEST_CASE("lift: weights and place stay, the type of a layer changes") {
  Placed run(OptimizerKind::adamw);
  run.steps(9);
  const std::string digest = run.digest();
  const Clock clock = run.place.trainer().clock();
  run.place.set_layers(lifted(run.place.trainer().config().model, {{1, Dtype::fp32}}));
  CHECK(run.digest() == digest);
  CHECK(run.place.trainer().clock() == clock);
  CHECK(run.place.trainer().model().shape().dtype_of(0) == Dtype::fp16);
  CHECK(run.place.trainer().model().shape().dtype_of(1) == Dtype::fp32);
  run.steps(4);
  CHECK(run.place.trainer().clock().attempted == 13);
}

TEST_CASE("rollback: layers are stored in a wider type where that makes the step finite, and all files say so") {
  const test::TempDir dir;
  const std::string data = large_numbers(dir);
  Options options = gated(dir);
  options.report = dir / "r.html";
  options.metrics = dir / "m.jsonl";
  const TrainResult r = train(data, options, {});
  REQUIRE(said(r.recoveries, "--layer-precision 0=bf16"));
  CHECK(r.layer_precision.find("0=bf16") != std::string::npos);
  CHECK(std::isfinite(r.train.loss));
  CHECK(r.steps.skipped == static_cast<std::int64_t>(r.recoveries.size()));
  const SavedModel model = load_model(options.out);
  REQUIRE(model.spec.layer_precision.size() == 3);
  CHECK(model.spec.layer_precision[0] == Dtype::bf16);
  std::stringstream page, lines;
  page << std::ifstream(options.report).rdbuf();
  CHECK(page.str().find("fp16 but 0=bf16") != std::string::npos);
  CHECK(page.str().find("raised the precision of layers") != std::string::npos);
  lines << std::ifstream(options.metrics).rdbuf();
  CHECK(lines.str().find("\"event\":\"recovery\"") != std::string::npos);
  // The step before it is in the capsule, as it was.
  const SavedCapsule capsule = load_capsule(dir / "m.capsule.safetensors");
  CHECK(capsule.capsule.cause != StepCause::none);

  // What it says is what mends the run.
  Options mended = gated(dir);
  mended.on_nonfinite = "stop";
  for (std::size_t i = 0; i < 3; ++i) {
    if (model.spec.layer_precision[i] != Dtype::fp16) {
      mended.layer_precision.push_back({static_cast<std::int64_t>(i), model.spec.layer_precision[i]});
    }
  }
  CHECK(train(data, mended, {}).steps.skipped == 0);
}

TEST_CASE("rollback: a run that stops before and after a lift goes on with its layers, and has the same bits") {
  const test::TempDir dir;
  const std::string data = large_numbers(dir);
  Options options = gated(dir);
  options.capsule = "none";
  options.optimizer = OptimizerKind::adamw;
  const TrainResult whole = train(data, options, {});
  REQUIRE(said(whole.recoveries, "--layer-precision"));
  const std::int64_t at_first = std::stoll(whole.recoveries.front().substr(5));
  options.checkpoint_dir = dir / "c";
  options.resume = "auto";
  TrainObserver observer;
  std::int64_t at = 0;
  observer.on_step = [&](const StepRecord& record) { at = record.step; };
  observer.should_stop = [&] { return at == at_first || at == at_first + 7 || at == at_first + 31; };
  TrainResult part;
  for (int i = 0; i < 4; ++i) part = train(data, options, observer);
  CHECK(part.resumed_at == at_first + 31);
  CHECK(part.recoveries == whole.recoveries);
  CHECK(part.layer_precision == whole.layer_precision);
  CHECK(part.weights_digest == whole.weights_digest);
  CHECK(load_model(options.out).spec.layer_precision[0] == Dtype::bf16);
}

// One column of some ten thousands, at a rate that soon makes of it what does not fit.
TEST_CASE("rollback: where the steps before a lift have raised the loss the run goes back to good weights too") {
  const test::TempDir dir;
  std::ofstream out(dir / "t.csv");
  out << "a,b,y\n";
  for (int i = 0; i < 400; ++i) {
    const double a = std::sin(i * 12.9898), b = std::cos(i * 4.1414);
    out << 4e4 * a << ',' << b << ',' << (a + a * b > 0 ? "yes" : "no") << '\n';
  }
  out.close();
  Options options = gated(dir);
  options.layer = "dense";
  options.hidden = {16, 16, 16};
  options.lr = 0.1;
  options.capsule = "none";
  const TrainResult r = train(dir / "t.csv", options, {});
  REQUIRE(!r.recoveries.empty());
  CAPTURE(r.recoveries.front());
  CHECK(said(r.recoveries, "raised the precision of layers"));
  CHECK(said(r.recoveries, "went back to the weights after 0 applied steps"));
  CHECK(std::isfinite(r.train.loss));
  CHECK(r.steps.applied == r.steps.attempted - static_cast<std::int64_t>(r.recoveries.size()));

  // And so in parts: between two lifts, and after them.
  REQUIRE(r.recoveries.size() > 1);
  const std::int64_t last = std::stoll(r.recoveries.back().substr(5));
  options.checkpoint_dir = dir / "c";
  options.resume = "auto";
  TrainObserver observer;
  std::int64_t at = 0;
  observer.on_step = [&](const StepRecord& record) { at = record.step; };
  observer.should_stop = [&] { return at == last - 1 || at == last || at == last + 9; };
  TrainResult part;
  for (int i = 0; i < 4; ++i) part = train(dir / "t.csv", options, observer);
  CHECK(part.resumed_at == last + 9);
  CHECK(part.recoveries == r.recoveries);
  CHECK(part.layer_precision == r.layer_precision);
  CHECK(part.weights_digest == r.weights_digest);
}

TEST_CASE("rollback: what no wider type mends, or weights without masters, end the run with what was found out") {
  const test::TempDir dir;
  const std::string data = large_numbers(dir);
  Options options = gated(dir);
  options.master = MasterKind::stochastic;
  std::string said_at_end;
  try {
    train(data, options, {});
  } catch (const Error& error) {
    said_at_end = error.what();
  }
  CHECK(said_at_end.find("the step is finite with --") != std::string::npos);
  CHECK(said_at_end.find("--master fp32") != std::string::npos);
}

}  // namespace halfstep::internal::lifts
