#include "run/auto_precision.hpp"

#include <algorithm>

#include "halfstep/error.hpp"
#include "run/precision.hpp"
#include "run/precision_choice.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"

namespace halfstep::internal {
namespace {

using Changes = std::vector<std::pair<std::string, std::string>>;

// About a second, or a twentieth of the run: the steps with meters take as long as three, and each precision has its
// own.
TryBounds bounds_of(const RunToTry& run) {
  const ModelSpec spec = spec_of(run.prepared, run.options);
  const std::int64_t planned = trainer_config(run.options, spec, run.prepared.train.rows).schedule.steps;
  return {static_cast<int>(std::clamp<std::int64_t>(planned / 120, 3, TryBounds().steps)), 1};
}

std::string flags_of(const Changes& changes) {
  std::string text;
  for (const auto& [name, value] : changes) text += " --" + name + (value.empty() ? "=''" : " " + value);
  return text;
}

void settle(const Changes& changes, Options& options) {
  for (const auto& [name, value] : changes) set_option(options, name, value);
  constexpr std::string_view kAuto = " --precision auto";
  const std::size_t at = options.command.find(kAuto);
  if (at != std::string::npos) options.command.replace(at, kAuto.size(), flags_of(changes));
}

}  // namespace

Changes settle_precision(const RunToTry& run, Options& options, std::vector<std::string>& notes) {
  if (!options.auto_precision) return {};
  Changes changes = {{"precision", std::string(name(Dtype::bf16))}};
  try {
    Preflight report = choose_precision(run, bounds_of(run)).report;
    if (!report.changes.empty()) changes = std::move(report.changes);
    const std::string flags = report.flags.empty() ? "--precision bf16" : report.flags;
    notes.push_back("--precision auto took " + flags + ": " + report.why);
  } catch (const Error& error) {
    if (error.status() != Status::out_of_memory) throw;
    notes.push_back("--precision auto took --precision bf16: there is no memory to try the others");
  }
  settle(changes, options);
  return changes;
}

Changes take_precision(const SavedModel& checkpoint, Options& options, std::vector<std::string>& notes) {
  if (!options.auto_precision) return {};
  Changes changes;
  const std::vector<std::string> names = parameters_of_precision();
  for (const auto& [name, value] : checkpoint.config) {
    const bool of_precision = std::find(names.begin(), names.end(), name) != names.end();
    if (of_precision && (name == "precision" || value != get_option(options, name))) changes.emplace_back(name, value);
  }
  settle(changes, options);
  notes.push_back("--precision auto took what the checkpoint has:" + flags_of(changes));
  return changes;
}

}  // namespace halfstep::internal
