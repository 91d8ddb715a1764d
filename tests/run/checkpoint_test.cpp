// Runs that stop and go on: the same bits as one that was never stopped; and what a checkpoint refuses.
#include "run/checkpoint_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>

#include <sys/resource.h>
#include <unistd.h>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/state_tensors.hpp"
#include "io/temp_dir.hpp"
#include "run/checkpoint_folder.hpp"

namespace halfstep::internal {
namespace {

namespace fs = std::filesystem;

Options checkpointed(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.checkpoint_dir = dir / "c";
  options.hidden = {12};
  options.batch = 32;
  options.epochs = 6;
  options.validation = 0.2;
  return options;
}

Options without_checkpoints(Options options) {
  options.checkpoint_dir = "";
  options.checkpoint_every = 0;
  options.resume = "";
  return options;
}

// Stops after so many steps of this process; 0: never.
TrainResult run_until(const Options& options, std::int64_t steps, std::vector<EpochReport>* epochs = nullptr) {
  TrainObserver observer;
  std::int64_t made = 0;
  observer.on_step = [&](const StepRecord&) { ++made; };
  observer.should_stop = [&] { return steps > 0 && made >= steps; };
  observer.on_epoch = [&](const EpochReport& report) {
    if (epochs) epochs->push_back(report);
  };
  return train("builtin:spirals", options, observer);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string message_of(const Options& options) {
  try {
    run_until(options, 0);
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    return error.what();
  }
  return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Variant {
  const char* name;
  void (*change)(Options&);
};

const Variant kVariants[] = {
    {"plain", [](Options&) {}},
    {"fp16, overflows at first",
     [](Options& o) { o.precision = Dtype::fp16, o.loss_scale = "dynamic", o.scale_init = 16777216; }},
    {"fp16, headroom", [](Options& o) { o.precision = Dtype::fp16, o.loss_scale = "headroom"; }},
    {"fp32, sgd, plateau",
     [](Options& o) {
       o.precision = Dtype::fp32, o.optimizer = OptimizerKind::sgd, o.momentum = 0.9, o.schedule = "plateau";
       o.decay_patience = 1, o.lr = 0.3;
     }},
    {"batch norm, dropout, accumulation",
     [](Options& o) { o.norm = Norm::batch, o.dropout = 0.2, o.accumulate = 3, o.batch = 8; }},
    {"kahan, early stop", [](Options& o) { o.master = MasterKind::kahan, o.early_stop = 1, o.lr = 0.05; }},
    {"stochastic, warmup", [](Options& o) { o.master = MasterKind::stochastic, o.warmup = 80; }},
    {"ema, early stop", [](Options& o) { o.ema = 0.9, o.early_stop = 2, o.lr = 0.05; }},
    {"the last epochs' average, bf16 moments", [](Options& o) { o.average_epochs = 3, o.moments = Dtype::bf16; }},
    {"steps that end within an epoch", [](Options& o) { o.epochs = 0, o.steps = 77; }},
};

}  // namespace

TEST_CASE("checkpoint: a run that stops again and again has the bits of one that never did") {
  for (const Variant& variant : kVariants) {
    CAPTURE(variant.name);
    const test::TempDir dir;
    Options options = checkpointed(dir);
    variant.change(options);
    options.metrics = dir / "whole.jsonl";
    const TrainResult whole = run_until(without_checkpoints(options), 0);
    options.metrics = dir / "parts.jsonl";
    options.resume = "auto";
    // In the middle of epochs, at their ends, at other numbers of threads, on other ISAs.
    std::int64_t made = 0;
    TrainResult part;
    for (const std::int64_t steps : {3, 30, 17, 1, 40, 0}) {
      options.threads = 1 + static_cast<int>(steps % 3);
      options.isa = steps % 2 == 0 ? "scalar" : "auto";
      part = run_until(options, steps);
      CHECK(part.resumed_at == made);
      made = part.steps.attempted;
      if (part.ended != "signal") break;
      CHECK(has(part.checkpoint, std::to_string(made) + ".safetensors"));
    }
    CHECK(part.weights_digest == whole.weights_digest);
    CHECK(part.steps.attempted == whole.steps.attempted);
    CHECK(part.steps.applied == whole.steps.applied);
    CHECK(part.ledger.size() == whole.ledger.size());
    CHECK(part.loss_scale == whole.loss_scale);
    CHECK(part.train.loss == whole.train.loss);
    CHECK(part.eval.loss == whole.eval.loss);
    CHECK(part.best_epoch == whole.best_epoch);
    CHECK(part.ended == whole.ended);
    CHECK(part.warnings.empty());
    // Without the speed, which no run has twice.
    const auto lines = [](std::string text) {
      for (std::size_t at; (at = text.find(",\"samples_per_s\":")) != std::string::npos;) {
        text.erase(at, text.find_first_of(",}", at + 1) - at);
      }
      return text;
    };
    CHECK(lines(test::read_bytes(dir / "parts.jsonl")) == lines(test::read_bytes(dir / "whole.jsonl")));
    // Once it has ended there is nothing to go on with, and the same result.
    const TrainResult again = run_until(options, 0);
    CHECK(again.resumed_at == whole.steps.attempted);
    CHECK(again.weights_digest == whole.weights_digest);
    CHECK(again.train.loss == whole.train.loss);
  }
}

TEST_CASE("checkpoint: the newest are kept, latest is the last, best is the model of the best epoch") {
  const test::TempDir dir;
  Options options = checkpointed(dir);
  options.checkpoint_minutes = 0;
  options.checkpoint_every = 10;
  options.checkpoint_keep = 2;
  options.lr = 0.3;  // so that the last epoch is not the best
  options.epochs = 9;
  options.schedule = "constant";
  std::vector<EpochReport> epochs;
  const TrainResult result = run_until(options, 0, &epochs);
  const std::vector<std::string> names = names_in(options.checkpoint_dir);
  REQUIRE(names.size() == 5);  // .lock, best, latest and two
  CHECK(names[1] == "best.safetensors");
  CHECK(names[2] == "latest.safetensors");
  CHECK(result.checkpoint == options.checkpoint_dir + "/" + names[4]);
  CHECK(test::read_bytes(result.checkpoint) == test::read_bytes(options.checkpoint_dir + "/latest.safetensors"));
  CHECK(load_checkpoint(result.checkpoint).attempted == result.steps.attempted);
  // A checkpoint is a model too: here of the last step, as the run's own is.
  CHECK(inspect(result.checkpoint).weights_digest == result.weights_digest);
  CHECK(evaluate(result.checkpoint, "builtin:spirals", {}).metrics.loss ==
        evaluate(options.out, "builtin:spirals", {}).metrics.loss);
  const auto best = std::find_if(epochs.rbegin(), epochs.rend(), [](const EpochReport& e) { return e.best; });
  REQUIRE(best->epoch < epochs.back().epoch);
  CHECK(inspect(options.checkpoint_dir + "/best.safetensors").step == best->steps.applied);
  CHECK(verify(options.checkpoint_dir + "/best.safetensors").kind == "model");
}

TEST_CASE("checkpoint: a run may have a page only before it stopped, only after, or both") {
  for (const auto& pages : {std::pair(true, true), std::pair(true, false), std::pair(false, true)}) {
    const bool first = pages.first, second = pages.second;
    const test::TempDir dir;
    Options options = checkpointed(dir);
    options.report = first ? dir / "first.html" : "";
    run_until(options, 50);
    options.report = second ? dir / "second.html" : "";
    options.resume = "auto";
    const TrainResult result = run_until(options, 0);
    CHECK(result.resumed_at == 50);
    CHECK(result.warnings.empty());
    if (!second) continue;
    // The curve begins where the page's run did.
    const std::string page = test::read_bytes(options.report);
    CHECK(has(page, "</html>"));
    CHECK(has(page, "after 50 steps"));
    CHECK(has(page, "They begin after step 50, where the run went on"));
  }
}

TEST_CASE("checkpoint: another run is refused, by what differs") {
  const test::TempDir dir;
  Options options = checkpointed(dir);
  run_until(options, 20);
  CHECK(has(message_of(options), "--resume auto"));
  options.resume = "auto";
  const auto refused = [&](auto change) {
    Options other = options;
    change(other);
    return message_of(other);
  };
  CHECK(has(refused([](Options& o) { o.seed = 5; }), "--seed is 5 here, 0 then"));
  CHECK(has(refused([](Options& o) { o.hidden = {12, 4}; }), "--hidden is 12,4 here, 12 then"));
  CHECK(has(refused([](Options& o) { o.lr = 0.5; }), "--lr is 0.5 here"));
  CHECK(has(refused([](Options& o) { o.early_stop = 2; }), "--early-stop"));
  CHECK(has(refused([](Options& o) { o.validation = 0.3; }), "--validation"));
  TrainObserver none;
  CHECK_THROWS_WITH_AS(train("builtin:digits", options, none), doctest::Contains("the data is another"), Error);
  CHECK(names_in(options.checkpoint_dir).size() >= 2);
  // Longer than it was to be.
  options.epochs = 7;
  std::vector<std::string> notes;
  none.on_plan = [&](const RunPlan& plan) { notes = plan.notes; };
  CHECK(train("builtin:spirals", options, none).steps.attempted > 20);
  CHECK(std::any_of(notes.begin(), notes.end(),
                    [](const std::string& note) { return has(note, "goes on to --epochs 7, it was to be 6"); }));
}

TEST_CASE("checkpoint: what is no checkpoint is refused, with what would do") {
  const test::TempDir dir;
  Options options = checkpointed(dir);
  run_until(options, 20);
  Options other = options;
  other.checkpoint_dir = "";
  other.resume = options.out;
  CHECK_THROWS_WITH_AS(run_until(other, 0), doctest::Contains("would overwrite an input"), Error);
  other.out = dir / "next.safetensors";
  CHECK_THROWS_WITH_AS(run_until(other, 0), doctest::Contains("--init-from"), Error);
  other.resume = dir / "nothing";
  CHECK_THROWS_AS(run_until(other, 0), Error);
  fs::create_directory(dir / "empty");
  other.resume = dir / "empty";
  CHECK_THROWS_WITH_AS(run_until(other, 0), doctest::Contains("the folder has none"), Error);
  other.resume = options.checkpoint_dir;  // a folder
  CHECK(run_until(other, 0).resumed_at == 20);
}

TEST_CASE("checkpoint: a damaged newest one is passed over and told, and where all are it is an error") {
  const test::TempDir dir;
  Options options = checkpointed(dir);
  options.checkpoint_minutes = 0;
  options.checkpoint_every = 10;
  run_until(options, 40);
  const TrainResult stopped = run_until([&] { return options.resume = "auto", options; }(), 5);
  const std::string newest = stopped.checkpoint;
  std::string bytes = test::read_bytes(newest);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  test::write_bytes(newest, bytes);
  std::vector<std::string> passed;
  const std::optional<Found> found = newest_checkpoint(options.checkpoint_dir, passed);
  REQUIRE(found.has_value());
  CHECK(found->checkpoint.attempted == 40);
  REQUIRE(passed.size() == 1);
  CHECK(has(passed[0], newest));
  CHECK_FALSE(verify(newest).good);
  CHECK(run_until(options, 1).resumed_at == 40);
  for (const std::string& name : names_in(options.checkpoint_dir)) {
    if (name.starts_with("step-")) test::write_bytes(options.checkpoint_dir + "/" + name, "nothing");
  }
  CHECK_THROWS_WITH_AS(run_until(options, 0), doctest::Contains("no checkpoint here is good"), Error);
}

TEST_CASE("checkpoint: no truncation and no flipped bit is taken for one") {
  const test::TempDir dir;
  Options options = checkpointed(dir);
  options.hidden = {2};
  run_until(options, 3);
  const std::string path = options.checkpoint_dir + "/step-000000000003.safetensors";
  const std::string whole = test::read_bytes(path);
  CHECK(verify(path).kind == "checkpoint of step 3");
  const std::string other = dir / "damaged.safetensors";
  std::size_t taken = 0;
  const auto try_bytes = [&](const std::string& bytes) {
    test::write_bytes(other, bytes);
    try {
      load_checkpoint(other);
      ++taken;
    } catch (const Error& error) {
      taken += error.status() == Status::internal ? 1 : 0;
    }
  };
  for (std::size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 37) try_bytes(whole.substr(0, size));
  for (std::size_t i = 0; i < whole.size(); i += i < 200 ? 1 : 13) {
    for (int bit = 0; bit < 8; bit += i < 200 ? 1 : 3) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      try_bytes(bytes);
    }
  }
  CHECK(taken == 0);
}

TEST_CASE("checkpoint: one run to a folder") {
  const test::TempDir dir;
  const std::string folder = dir / "c";
  {
    const CheckpointFolder first(folder, 3);
    CHECK_THROWS_WITH_AS(CheckpointFolder(folder, 3), doctest::Contains("another run"), Error);
  }
  const CheckpointFolder second(folder, 3);
  CHECK_FALSE(second.newest().has_value());
}

TEST_CASE("checkpoint: when space ends the run goes on, says so each time, and the last good one stays") {
  const test::TempDir dir;
  Options options = checkpointed(dir);
  options.hidden = {64, 64};
  options.epochs = 100;
  const TrainResult whole = run_until(without_checkpoints(options), 0);
  options.checkpoint_minutes = 0;
  options.checkpoint_every = 10;
  std::vector<std::string> warnings;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  TrainObserver observer;
  std::int64_t saved = 0;
  observer.on_checkpoint = [&](const CheckpointReport& report) {
    if (saved == 0) saved = report.step;
    rlimit tight = before;
    tight.rlim_cur = 40000;  // a model is smaller, a checkpoint is not
    ::setrlimit(RLIMIT_FSIZE, &tight);
  };
  observer.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
  const TrainResult result = train("builtin:spirals", options, observer);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(result.weights_digest == whole.weights_digest);
  REQUIRE(warnings.size() >= 2);
  CHECK(has(warnings[0], "File too large"));
  REQUIRE(result.warnings.size() == 1);
  CHECK(has(result.warnings[0], "the last checkpoint is missing"));
  std::vector<std::string> passed;
  const std::optional<Found> found = newest_checkpoint(options.checkpoint_dir, passed);
  REQUIRE(found.has_value());
  CHECK(saved > 0);
  CHECK(found->checkpoint.attempted >= saved);  // one may have been written meanwhile
  CHECK(found->checkpoint.attempted < result.steps.attempted);
  CHECK(passed.empty());
}

TEST_CASE("state in a file: every number comes back, whatever it is") {
  struct Numbers {
    double numbers[6] = {-0.0, 0.1, std::numeric_limits<double>::infinity(), std::nan(""), 5e-324, -1e300};
    std::int64_t integers[3] = {INT64_MIN, INT64_MAX, 0};
    std::string text = "a \"text\"\n\xc3\xa4";
    std::vector<float> floats = {1, -2, 0.5f};
    void visit_state(StateVisitor& v) {
      for (int i = 0; i < 6; ++i) v.number("number." + std::to_string(i), numbers[i]);
      for (int i = 0; i < 3; ++i) v.integer("integer." + std::to_string(i), integers[i]);
      v.text("text", text);
      v.array("floats", StateType::fp32, floats);
    }
  };
  Numbers numbers;
  const State state = save_state(numbers);
  const test::TempDir dir;
  io::File file;
  io::add_state(state, file);
  io::write_safetensors(dir / "s", file);
  const State back = io::state_of(io::read_safetensors(dir / "s"), "s");
  CHECK(differing(state, back).empty());
  Numbers other = {};
  other.numbers[1] = 7;
  load_state(other, back);
  CHECK(other.numbers[1] == 0.1);
  CHECK(std::signbit(other.numbers[0]));
  CHECK(std::isnan(other.numbers[3]));
}

}  // namespace halfstep::internal
