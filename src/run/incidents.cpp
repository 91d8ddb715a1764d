#include "run/incidents.hpp"

#include <algorithm>

#include "doctor/blame.hpp"
#include "run/capsule_file.hpp"
#include "run/data_words.hpp"
#include "run/job_files.hpp"
#include "run/memory_check.hpp"
#include "train/memory_plan.hpp"

namespace halfstep::internal {
namespace {

bool is_of_data(const Incident& i) {
  return i.reason == IncidentReason::bad_input || i.reason == IncidentReason::bad_target;
}

// Memory that the run does not plan to use.
std::uint64_t room_beside(const StepTrainer& trainer, const Prepared& p) {
  const auto planned = static_cast<std::uint64_t>(
      total_bytes(trainer.memory(memory_of(p.train) + memory_of(p.validation) + memory_of(p.test))));
  const std::uint64_t limit = memory_limit().bytes;
  return limit > planned ? limit - planned : 0;
}

}  // namespace

Incidents::Incidents(const Options& options, StepTrainer& trainer, const Prepared& prepared, const SavedModel& model,
                     const TrainObserver& observer)
    : options_(options),
      trainer_(trainer),
      model_(model),
      observer_(observer),
      watch_(
          trainer, data_words(prepared.preprocessor),
          [&rows = prepared.train_rows](std::size_t row) { return rows.text(row); },
          [this](Incident& incident, const Capsule& capsule) { see(incident, capsule); },
          options.on_nonfinite == "rollback", room_beside(trainer, prepared)) {}

void Incidents::see(Incident& incident, const Capsule& capsule) {
  // A scale that was too large is found out so, and mended.
  const bool routine = incident.reason == IncidentReason::loss_scale && trainer_.scaler().dynamic();
  if (!routine && options_.capsule != "none" && keep(capsule)) {
    // There is one file, and it has the step of the last.
    for (Incident& earlier : list_) earlier.capsule.clear();
    incident.capsule = capsule_path(options_);
  }
  list_.push_back(incident);
  tell(incident);
}

bool Incidents::keep(const Capsule& capsule) {
  try {
    SavedModel model = model_;
    model.step = capsule.clock.applied;
    model.scaler = trainer_.scaler().state();
    save_capsule(capsule_path(options_), model, capsule);
    return true;
  } catch (const Error& error) {
    warnings_.push_back("the step could not be kept for `halfstep doctor`: " + std::string(error.what()));
    if (observer_.on_warning) observer_.on_warning(warnings_.back());
    return false;
  }
}

void Incidents::tell(const Incident& incident) {
  if (observer_.on_incident) observer_.on_incident(incident);
}

void Incidents::add_weights(const StepRecord& record) {
  list_.push_back(incident_of_weights(trainer_, record));
  tell(list_.back());
}

const Incident* Incidents::of_step(std::int64_t step) const {
  const auto found = std::find_if(list_.begin(), list_.end(), [&](const Incident& i) { return i.step == step; });
  return found == list_.end() ? nullptr : &*found;
}

const Incident* Incidents::find(const StepRecord& record) const {
  for (auto i = list_.rbegin(); i != list_.rend(); ++i) {
    if (i->cause == record.cause) return &*i;
  }
  return nullptr;
}

ErrorParts Incidents::with_reason(ErrorParts parts, const StepRecord& record) const {
  const Incident* const incident = find(record);
  if (incident == nullptr || incident->why.empty()) return parts;
  parts.why += "; " + incident->why;
  // Of a scale that moves the verdict knows where it ended.
  const bool of_scale = incident->reason == IncidentReason::loss_scale && trainer_.scaler().dynamic();
  if (!incident->advice.empty() && !of_scale) parts.hint = incident->advice;
  return parts;
}

std::string Incidents::rows_to_blame() const {
  std::vector<std::string> rows;
  for (const Incident& i : list_) {
    if (!is_of_data(i) || i.place.empty()) continue;
    if (std::find(rows.begin(), rows.end(), i.place) == rows.end()) rows.push_back(i.place);
  }
  std::string text;
  for (const std::string& row : rows) text += (text.empty() ? "" : ", ") + row;
  return text;
}

}  // namespace halfstep::internal
