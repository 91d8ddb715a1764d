// Checkpoints that cannot be saved, and a run that is to end then.
#include <doctest/doctest.h>

#include <filesystem>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

namespace fs = std::filesystem;

Options ending_at_lost_checkpoints(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.checkpoint_dir = dir / "c";
  options.checkpoint_minutes = 0;
  options.checkpoint_every = 5;
  options.on_save_error = "stop";
  options.hidden = {8};
  options.steps = 10'000'000;  // for ever
  return options;
}

// What a run says that loses the folder `gone` at its first checkpoint; empty: it does not fail.
std::string words_of_failing_run(const Options& options, const std::string& gone, int& warnings) {
  TrainObserver observer;
  bool first = true;
  observer.on_checkpoint = [&](const CheckpointReport&) {
    if (first) fs::rename(gone, gone + ".away");
    first = false;
  };
  observer.on_warning = [&](const std::string&) { ++warnings; };
  try {
    train("builtin:spirals", options, observer);
  } catch (const Error& error) {
    CHECK(error.status() == Status::io);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("save error: the run ends, says so once, keeps its model and checkpoints, and can go on") {
  const test::TempDir dir;
  Options options = ending_at_lost_checkpoints(dir);
  int warnings = 0;
  const std::string words = words_of_failing_run(options, options.checkpoint_dir, warnings);
  CAPTURE(words);
  CHECK(warnings == 0);
  const ModelSummary model = inspect(options.out);
  const auto says = [&](const std::string& part) { return words.find(part) != std::string::npos; };
  CHECK(says("a checkpoint could not be saved"));
  CHECK(says("directory"));  // that there is none, or where the next one was being written, no such
  CHECK(says("the weights after " + std::to_string(model.step) + " applied steps, in " + options.out));
  CHECK(says("the checkpoint " + options.checkpoint_dir + "/step-"));
  CHECK(says("--resume auto"));
  fs::rename(options.checkpoint_dir + ".away", options.checkpoint_dir);
  options.resume = "auto";
  TrainObserver observer;
  observer.should_stop = [] { return true; };
  const TrainResult result = train("builtin:spirals", options, observer);
  CHECK(result.resumed_at > 0);
  CHECK(result.resumed_at <= model.step);
  CHECK(result.warnings.empty());
}

TEST_CASE("save error: where the model cannot be saved either, both are said") {
  const test::TempDir dir;
  Options options = ending_at_lost_checkpoints(dir);
  const std::string folder = dir / "all";
  fs::create_directory(folder);
  options.out = folder + "/m.safetensors";
  options.checkpoint_dir = folder + "/c";
  int warnings = 0;
  const std::string words = words_of_failing_run(options, folder, warnings);
  CAPTURE(words);
  CHECK(words.find("a checkpoint could not be saved") != std::string::npos);
  CHECK(words.find("could not be saved in " + options.out) != std::string::npos);
}

}  // namespace halfstep::internal
