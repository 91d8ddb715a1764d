// Why a step is not finite. Reads every tensor of the step once, and only after something went wrong.
#include <bit>
#include <cmath>

#include "base/dtype.hpp"
#include "base/dtype_range.hpp"
#include "train/step.hpp"

namespace halfstep::internal {
namespace {

// NaN where there is one.
float largest_of(const KernelTable& kernels, Dtype dtype, std::size_t n, const void* x) {
  return std::bit_cast<float>(kernels.scan[index_of(dtype)](n, x, INFINITY).largest);
}

}  // namespace

float TrainStep::largest(const StoredSignal& signal, std::size_t rows) const {
  return largest_of(context_.kernels, signal.dtype, pad_rows(model_.rows_of(signal, rows)) * signal.ld, signal.data);
}

float TrainStep::largest_d(std::size_t rows) const {
  float most = 0;
  for (const StoredSignal& signal : model_.signals()) {
    // The other types have fp32's range.
    if (signal.kind != StoredSignal::Kind::gradient || signal.dtype != Dtype::fp16) continue;
    const float here = largest(signal, rows);
    if (here > most || std::isnan(here)) most = here;
  }
  return most;
}

StepIncident TrainStep::check_weights() const {
  for (const Parameter* p : model_.parameters()) {
    // Without masters the packed weights are all there is. What is no matrix stays fp32.
    const float most = p->has_master ? largest_of(context_.kernels, Dtype::fp32, p->master.size(), p->master.data())
                                     : largest_of(context_.kernels, p->storage, p->size(), p->packed_forward.data());
    const double end = rounds_to_infinity(p->has_master ? p->storage : Dtype::fp32);
    if (!(static_cast<double>(most) < end)) return {StepCause::weights, p->name};
  }
  return {};
}

// What is not finite in the parts that were looked at: the first of each pass, in the order of that pass.
struct TrainStep::Findings {
  struct Place {
    const StoredSignal* signal = nullptr;
    std::size_t part = 0;
  };
  Place input, output, gradient;
  std::optional<std::size_t> loss, sums;  // the first part whose loss is not, whose weight gradients are not
};

void TrainStep::look_at(const Part& part, double losses, Findings& found) const {
  using Kind = StoredSignal::Kind;
  for (const StoredSignal& signal : model_.signals()) {
    if (std::isfinite(largest(signal, part.rows))) continue;
    // All lie in one list: outputs from the first on, then gradients, of which the last was made first.
    const auto first_of = [&](Findings::Place& place, bool earlier) {
      if (place.signal == nullptr || earlier) place = {&signal, part.index};
    };
    if (signal.kind == Kind::input) first_of(found.input, false);
    if (signal.kind == Kind::output || signal.kind == Kind::embedded)
      first_of(found.output, &signal < found.output.signal);
    if (signal.kind == Kind::gradient) first_of(found.gradient, &signal > found.gradient.signal);
  }
  if (!std::isfinite(losses) && !found.loss) found.loss = part.index;
}

StepIncident TrainStep::incident_of(const Findings& found, std::size_t last, double loss,
                                    const GradientSummary& gradients) const {
  const StepIncident weights = check_weights();
  const StepCause cause = cause_of({.data = found.input.signal == nullptr,
                                    .weights = weights.cause == StepCause::none,
                                    .forward = found.output.signal == nullptr,
                                    .loss = std::isfinite(loss),
                                    .d = found.gradient.signal == nullptr,
                                    .gradients = gradients.first_bad < 0,
                                    .unscaled = gradients.finite});
  const std::size_t bad_sums = found.sums.value_or(last);
  switch (cause) {
    case StepCause::data:
      return {cause, found.input.signal->name, found.input.part};
    case StepCause::weights:
      return {cause, weights.tensor, bad_sums};
    case StepCause::forward:
      return {cause, found.output.signal->name, found.output.part};
    case StepCause::scale:
      return {cause, found.gradient.signal->name, found.gradient.part};
    case StepCause::loss:
      return {cause, "loss", found.loss.value_or(last)};
    case StepCause::gradient:  // all of them are named below
    case StepCause::none:
    case StepCause::unscale:
      break;
  }
  return {cause, {}, bad_sums};
}

// The sum over parts hides where it began: each runs again by itself. All of them do, so that what is found is what one
// part of all rows would show, and no bit follows from how many rows pass together.
StepIncident TrainStep::explain(const StepExamples& examples, double weight, double loss,
                                const GradientSummary& gradients) {
  note_bad_gradients();
  const std::size_t last = examples.parts() - 1;
  Findings found;
  if (last == 0) look_at(part_of(examples, weight, 0), loss, found);
  const auto run_alone = [&](const Part& part) {
    double losses = 0;
    forward(examples, part);
    backward(part, false, losses);
    return losses;
  };
  for (std::size_t i = 0; last > 0 && i <= last; ++i) {
    const Part part = part_of(examples, weight, i);
    const double losses = run_alone(part);
    look_at(part, losses, found);
    if (!found.sums && !summarise().finite) found.sums = i;
  }
  const StepIncident incident = incident_of(found, last, loss, gradients);
  if (incident.part != last) run_alone(part_of(examples, weight, incident.part));
  return incident;
}

void TrainStep::note_bad_gradients() {
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    double sum = 0;
    for (const double block : squares_[i].blocks) sum += block;
    bad_gradients_[i] = !std::isfinite(sum);
  }
}

std::vector<std::string> TrainStep::tensors_of(const StepIncident& incident) const {
  std::vector<std::string> names;
  if (!incident.tensor.empty()) names.emplace_back(incident.tensor);
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    if (bad_gradients_[i]) names.push_back("gradient of " + model_.trained()[i]->name);
  }
  return names;
}

std::vector<std::string> TrainStep::silent_gradients() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    const Parameter& p = *model_.trained()[i];
    if (!p.is_matrix()) continue;
    double sum = 0;
    for (const double block : squares_[i].blocks) sum += block;
    if (sum != 0) continue;
    if (p.block + 1 == model_.blocks()) return {};
    names.push_back(p.name);
  }
  return names;
}

}  // namespace halfstep::internal
