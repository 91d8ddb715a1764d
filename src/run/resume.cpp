#include "run/resume.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "halfstep/error.hpp"
#include "run/folder.hpp"

namespace halfstep::internal {
namespace {

// What the bits of a run do not follow from: the machine, what is written where, and what tells the data from its path
// (its digest does).
constexpr std::array kFree = {"threads",
                              "isa",
                              "test",
                              "labels",
                              "format",
                              "header",
                              "separator",
                              "out",
                              "metrics",
                              "tensorboard",
                              "capsule",
                              "report",
                              "meter-every",
                              "resume",
                              "checkpoint-dir",
                              "checkpoint-every",
                              "checkpoint-minutes",
                              "checkpoint-keep",
                              "on-save-error",
                              "cache",
                              "time-limit",
                              "calibrate"};
constexpr std::string_view kReport = "report.";

// How long it is: what has happened stays, the rest follows from the new length.
constexpr std::array kLength = {"epochs", "steps"};

// Of networks that have ended: by what early stopping chose their epoch may follow from it.
constexpr std::array kSteered = {"calibrate"};

template <std::size_t N>
bool among(const std::array<const char*, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const char* other) { return name == other; });
}

std::string shown(const std::string& value) { return value.empty() ? "nothing" : value; }

[[noreturn]] void refuse(const Found& found, std::string why) {
  const std::string& command = found.checkpoint.command;
  throw Error(Status::invalid_argument, {.what = "this is not the run of the checkpoint",
                                         .where = found.path,
                                         .why = std::move(why),
                                         .kept = "the checkpoint",
                                         .hint = command.empty() ? "the parameters of that run" : command});
}

std::string rows_text(const DataIdentity& data) {
  return std::to_string(data.train_rows) + " rows to train and " + std::to_string(data.held_out_rows) +
         " held out, of " + std::to_string(data.features) + " features";
}

void check_data(const Found& found, const DataIdentity& now) {
  const DataIdentity& then = found.checkpoint.data;
  if (then.digest == now.digest) return;
  const std::string here = rows_text(now), there = rows_text(then);
  refuse(found, "the data is another: " +
                    (here == there ? "as many rows, with other values" : here + " here, " + there + " then") +
                    (now.path == then.path ? "" : " (" + now.path + " here, " + then.path + " then)"));
}

std::optional<Found> newest(const std::string& folder, std::vector<std::string>& notes) {
  std::vector<std::string> passed;
  std::optional<Found> found = newest_checkpoint(folder, passed);
  for (const std::string& why : passed) notes.push_back("a newer checkpoint is passed over: " + why);
  return found;
}

}  // namespace

std::optional<Found> find_checkpoint(const Options& options, const CheckpointFolder* folder,
                                     std::vector<std::string>& notes) {
  if (options.resume.empty()) {
    if (!folder || (!folder->newest() && networks_in(folder->path()).empty())) return std::nullopt;
    throw Error(Status::invalid_argument, {.what = "the folder has checkpoints of a run",
                                           .where = "--checkpoint-dir " + options.checkpoint_dir,
                                           .why = "a new run would mix its own with them",
                                           .kept = "all of them",
                                           .hint = "--resume auto to go on with them, or another folder"});
  }
  if (options.resume == "auto") {
    std::optional<Found> found = newest(options.checkpoint_dir, notes);
    if (!found && networks_in(options.checkpoint_dir).empty())
      notes.push_back("no checkpoint in " + options.checkpoint_dir + " yet: the run starts from nothing");
    return found;
  }
  if (!is_folder(options.resume)) return checkpoint_to_train_on(options.resume);
  if (std::optional<Found> found = newest(options.resume, notes)) return found;
  if (!networks_in(options.resume).empty()) return std::nullopt;
  throw Error(Status::format, {.what = "no checkpoint to go on with",
                               .where = options.resume,
                               .why = "the folder has none",
                               .kept = {},
                               .hint = "another folder, or without --resume from the start"});
}

void check_same_run(const Found& found, const SavedModel& model, const DataIdentity& data, const std::string& isa,
                    std::vector<std::string>* notes) {
  const SavedModel& then = found.checkpoint.model;
  const auto saved = [&](std::string_view name) -> const std::string* {
    const auto at =
        std::find_if(then.config.begin(), then.config.end(), [&](const auto& p) { return p.first == name; });
    return at == then.config.end() ? nullptr : &at->second;
  };
  std::string differences;
  for (const auto& [name, value] : model.config) {
    const std::string* const before = saved(name);
    if (before == nullptr || *before == value) continue;
    if (among(kFree, name) && (notes != nullptr || !among(kSteered, name))) continue;
    if (notes != nullptr && among(kLength, name)) {
      notes->push_back("the run goes on to --" + name + " " + value + ", it was to be " + *before);
      continue;
    }
    differences += (differences.empty() ? "" : "; ") + ("--" + name) + " is " + shown(value) + " here, " +
                   shown(*before) + " then";
  }
  if (!differences.empty()) refuse(found, differences);
  if (then.math == Math::native && then.isa != isa) {
    refuse(found, "--math native has bits of its own on each ISA: " + isa + " here, " + then.isa + " then");
  }
  check_data(found, data);
  if (notes != nullptr)
    notes->push_back("goes on with " + found.path + ", after " + std::to_string(found.checkpoint.attempted) + " steps");
}

void load_run(const Found& found, Training& training, ReportRecorder* recorder) {
  State run, report;
  for (const StateEntry& e : found.checkpoint.state.entries) {
    const bool of_report = e.name.starts_with(kReport);
    State& part = of_report ? report : run;
    part.entries.push_back(e);
    if (of_report) part.entries.back().name.erase(0, kReport.size());
  }
  load_state(training, run);
  training.loaded();
  // A run that is to have a page only now has one of what follows.
  if (recorder && !report.entries.empty()) load_state(*recorder, report);
}

MetricsLog::WentOn went_on(const Checkpoint& checkpoint) {
  return {.step = checkpoint.attempted, .epoch_ended = integer_of(checkpoint.state, "trainer.clock.row") == 0};
}

std::string go_on_command(const Options& options) {
  constexpr std::string_view kBegin = "halfstep train";
  if (!options.command.starts_with(kBegin) || options.checkpoint_dir.empty()) return {};
  return std::string(kBegin) + " --resume auto" + options.command.substr(kBegin.size());
}

}  // namespace halfstep::internal
