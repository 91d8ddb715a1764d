#include "run/incidents.hpp"

#include <algorithm>
#include <new>

#include "doctor/bisect.hpp"
#include "doctor/blame.hpp"
#include "doctor/row_facts.hpp"
#include "run/capsule_file.hpp"
#include "run/data_words.hpp"
#include "run/job_files.hpp"
#include "run/memory_check.hpp"
#include "run/step_trials.hpp"
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
      train_(prepared.train),
      room_(room_beside(trainer, prepared)),
      watch_(
          trainer, data_words(prepared.preprocessor),
          [&rows = prepared.train_rows](std::size_t row) { return rows.text(row); },
          [this](Incident& incident, Capsule& capsule) { see(incident, capsule); }, options.on_nonfinite == "rollback",
          room_) {}

void Incidents::see(Incident& incident, Capsule& capsule) {
  // A scale that was too large is found out so, and mended.
  const bool routine = incident.reason == IncidentReason::loss_scale && trainer_.scaler().dynamic();
  incident.tried = capsule.tried = try_steps_before(incident);
  if (!routine && options_.capsule != "none" && keep(capsule)) {
    // There is one file, and it has the step of the last.
    for (Incident& earlier : list_) earlier.capsule.clear();
    incident.capsule = capsule_path(options_);
  }
  if (!routine && options_.on_nonfinite == "rollback") find_cure(incident, capsule);
  list_.push_back(incident);
  tell(incident);
}

// Where one row stands out no wider type is to let it in, and a learning rate goes through any.
void Incidents::find_cure(const Incident& incident, const Capsule& capsule) {
  const auto row = static_cast<std::size_t>(std::max<std::int64_t>(incident.batch_row, 0)) - capsule.first_row;
  const bool by_row = incident.batch_row >= 0 && is_of_data(incident) &&
                      (input_extreme(capsule, row).stands_out() || target_extreme(capsule, row).stands_out());
  using Reason = IncidentReason;
  const Reason reason = incident.reason;
  const bool scale_does = reason == Reason::loss_scale && incident.fitting_scale < incident.loss_scale;
  if (by_row || reason == Reason::learning_rate || reason == Reason::vanished || scale_does) return;
  const GemmContext& context = trainer_.context();
  cure_ = bisect(capsule, context.kernels, context.executor);
  cured_step_ = incident.step;
}

// Once in a run, for it takes as long as some hundred of its steps: where values have grown with the updates.
std::string Incidents::try_steps_before(const Incident& incident) {
  using Reason = IncidentReason;
  const Reason reason = incident.reason;
  const bool grown = reason == Reason::learning_rate || reason == Reason::range || reason == Reason::gradient;
  if (tried_ || !grown || incident.applied == 0) return {};
  tried_ = true;
  if (static_cast<std::uint64_t>(total_bytes(trainer_.memory(0))) > room_) return {};
  try {
    return try_steps(trainer_, train_, options_.init_from.empty());
  } catch (const std::bad_alloc&) {
  } catch (const Error& error) {
    if (error.status() != Status::out_of_memory) throw;
  }
  return {};
}

bool Incidents::keep(const Capsule& capsule) {
  try {
    if (const std::string why = too_large(capsule); !why.empty()) return lost(why);
    SavedModel model = model_;
    model.step = capsule.clock.applied;
    model.scaler = trainer_.scaler().state();
    save_capsule(capsule_path(options_), model, capsule);
    if (const std::string kept = what_is_kept(capsule); !kept.empty() && observer_.on_warning)
      observer_.on_warning(kept);
    return true;
  } catch (const Error& error) {
    return lost(error.what());
  }
}

bool Incidents::lost(const std::string& why) {
  warnings_.push_back("the step could not be kept for `halfstep doctor`: " + why);
  if (observer_.on_warning) observer_.on_warning(warnings_.back());
  return false;
}

void Incidents::tell(const Incident& incident) {
  if (observer_.on_incident) observer_.on_incident(incident);
}

void Incidents::add_weights(const StepRecord& record) {
  list_.push_back(incident_of_weights(trainer_, record));
  list_.back().tried = try_steps_before(list_.back());
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
