#include "doctor/watch.hpp"

#include <new>

#include "doctor/blame.hpp"
#include "doctor/signals.hpp"
#include "doctor/silence.hpp"

namespace halfstep::internal {

Incident examine(const Capsule& capsule, const DataWords& words, const KernelTable& kernels, Executor& executor) {
  Rerun rerun(capsule, capsule.model, kernels, executor);
  const StepReport report = rerun.run();
  Incident incident = trace(rerun, report);
  blame(rerun, words, incident);
  return incident;
}

IncidentWatch::IncidentWatch(StepTrainer& trainer, DataWords words, std::function<std::string(std::size_t)> place,
                             std::function<void(Incident&, const Capsule&)> see, bool each)
    : trainer_(trainer), words_(std::move(words)), place_(std::move(place)), see_(std::move(see)), each_(each) {
  trainer.on_withheld([this](const WithheldStep& step) { withheld(step); });
}

IncidentWatch::~IncidentWatch() { trainer_.on_withheld(nullptr); }

void IncidentWatch::add_places(Capsule& capsule) const {
  if (!place_) return;
  for (const std::uint32_t row : capsule.examples) capsule.places.push_back(place_(row));
}

// Of a network whose layers do not learn, once.
void IncidentWatch::silent(const WithheldStep& step) {
  if (!seen_.emplace(StepCause::none, "silent").second) return;
  std::optional<Capsule> capsule = take_capsule(trainer_, step);
  if (!capsule) return;
  GemmContext& context = trainer_.context();
  // The update is made: what is kept is the step that these rows would give now.
  Rerun now(*capsule, capsule->model, context.kernels, context.executor);
  now.run();
  capsule->digest = step_digest(now.network(), now.held().rows);
  add_places(*capsule);
  std::optional<Incident> incident = examine_silence(*capsule, step.silent, context.kernels, context.executor);
  if (incident) see_(*incident, *capsule);
}

void IncidentWatch::withheld(const WithheldStep& step) {
  if (!step.silent.empty()) return silent(step);
  const std::string tensor = step.record.tensors.empty() ? "" : step.record.tensors.front();
  // Of the data each row counts: who mends one wants to know of all.
  const bool first = seen_.emplace(step.record.cause, tensor).second;
  const bool wanted = first || each_ || step.record.cause == StepCause::data;
  if (!wanted || (count_++ >= kMost && !each_)) return;
  try {
    std::optional<Capsule> capsule = take_capsule(trainer_, step);
    if (!capsule) return;
    add_places(*capsule);
    GemmContext& context = trainer_.context();
    Incident incident = examine(*capsule, words_, context.kernels, context.executor);
    if (!first && !each_ && !rows_.insert(incident.example).second) return;  // that row again, an epoch later
    rows_.insert(incident.example);
    see_(incident, *capsule);
  } catch (const std::bad_alloc&) {  // the run goes on without an explanation
  }
}

}  // namespace halfstep::internal
