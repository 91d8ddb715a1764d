#include "doctor/watch.hpp"

#include <new>
#include <optional>

#include "doctor/blame.hpp"
#include "doctor/signals.hpp"
#include "doctor/silence.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal {

Incident examine(const Capsule& capsule, const DataWords& words, const KernelTable& kernels, Executor& executor) {
  Rerun rerun(capsule, capsule.model, kernels, executor);
  const StepReport report = rerun.run();
  Incident incident = trace(rerun, report);
  blame(rerun, words, incident);
  incident.tried = capsule.tried;
  // From rows of the capsule to those of the step.
  const auto first = static_cast<std::int64_t>(capsule.first_row);
  if (incident.row >= 0 && incident.row == incident.batch_row) incident.row += first;
  if (incident.batch_row >= 0) incident.batch_row += first;
  return incident;
}

IncidentWatch::IncidentWatch(StepTrainer& trainer, DataWords words, std::function<std::string(std::size_t)> place,
                             std::function<void(Incident&, Capsule&)> see, bool each, std::uint64_t room)
    : trainer_(trainer),
      words_(std::move(words)),
      place_(std::move(place)),
      see_(std::move(see)),
      each_(each),
      room_(room) {
  follow();
}

void IncidentWatch::follow() {
  trainer_.on_withheld([this](const WithheldStep& step) { withheld(step); });
}

IncidentWatch::~IncidentWatch() { trainer_.on_withheld(nullptr); }

void IncidentWatch::withheld(const WithheldStep& step) {
  const bool silent = !step.silent.empty();
  const std::string tensor = silent ? "silent" : step.record.tensors.empty() ? "" : step.record.tensors.front();
  const bool first = seen_.emplace(step.record.cause, tensor).second;
  // Of the data each row counts: who mends one wants to know of all.
  const bool wanted = first || (!silent && (each_ || step.record.cause == StepCause::data));
  if (!wanted || (count_++ >= kMost && !each_)) return;
  std::optional<Found> found;
  if (has_room(step)) found = look(step);
  if (!found) return;
  const std::int64_t example = found->incident.example;
  const bool new_row = rows_.insert(example).second;
  if (first || each_ || new_row) see_(found->incident, found->capsule);  // else that row again, an epoch later
}

// Two networks beside that of the run, one of them to see what bf16 would do; and their weights as files have them.
bool IncidentWatch::has_room(const WithheldStep& step) {
  const Network& model = trainer_.model();
  const std::uint64_t weights = 4 * sizeof(float) * model.elements();
  const std::uint64_t rows = 2 * sizeof(float) * kept_rows(trainer_, step).count * model.shape().widths.front();
  const bool room = 2 * std::uint64_t{model.memory().total()} + weights + rows <= room_;
  if (!room) ++missed_;
  return room;
}

// None where memory ends: the run goes on without an explanation.
std::optional<IncidentWatch::Found> IncidentWatch::look(const WithheldStep& step) {
  try {
    Capsule capsule = take_capsule(trainer_, step);
    add_places(capsule);
    GemmContext& context = trainer_.context();
    if (!step.silent.empty()) {
      describe_as_it_is_now(capsule);
      std::optional<Incident> incident = examine_silence(capsule, step.silent, context.kernels, context.executor);
      if (!incident) return {};
      return Found{*std::move(incident), std::move(capsule)};
    }
    Incident incident = examine(capsule, words_, context.kernels, context.executor);
    return Found{std::move(incident), std::move(capsule)};
  } catch (const std::bad_alloc&) {
  } catch (const Error& error) {
    if (error.status() != Status::out_of_memory) throw;
  }
  ++missed_;
  return {};
}

// The update is made: what is kept is the step that these rows would give after it.
void IncidentWatch::describe_as_it_is_now(Capsule& capsule) {
  GemmContext& context = trainer_.context();
  Rerun now(capsule, capsule.model, context.kernels, context.executor);
  now.run();
  capsule.digest = step_digest(now.network(), now.held().rows);
}

void IncidentWatch::add_places(Capsule& capsule) const {
  if (!place_) return;
  for (const std::uint32_t row : capsule.examples) capsule.places.push_back(place_(row));
}

}  // namespace halfstep::internal
