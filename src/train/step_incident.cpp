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

StepIncident TrainStep::find_incident(const Part& part, double loss, const GradientSummary& gradients) const {
  using Kind = StoredSignal::Kind;
  const StepIncident weights = check_weights();
  // The first of each pass, in the order of that pass.
  const StoredSignal *input = nullptr, *output = nullptr, *gradient = nullptr;
  for (const StoredSignal& signal : model_.signals()) {
    if (std::isfinite(largest(signal, part.rows))) continue;
    if (signal.kind == Kind::input) input = &signal;
    if ((signal.kind == Kind::output || signal.kind == Kind::embedded) && output == nullptr) output = &signal;
    if (signal.kind == Kind::gradient) gradient = &signal;
  }
  const StepCause cause = cause_of({.data = input == nullptr,
                                    .weights = weights.cause == StepCause::none,
                                    .forward = output == nullptr,
                                    .loss = std::isfinite(loss),
                                    .d = gradient == nullptr,
                                    .gradients = gradients.first_bad < 0,
                                    .unscaled = gradients.finite});
  switch (cause) {
    case StepCause::data:
      return {cause, input->name, part.index};
    case StepCause::weights:
      return {cause, weights.tensor, part.index};
    case StepCause::forward:
      return {cause, output->name, part.index};
    case StepCause::scale:
      return {cause, gradient->name, part.index};
    case StepCause::loss:
      return {cause, "loss", part.index};
    case StepCause::gradient:  // all of them are named below
    case StepCause::none:
    case StepCause::unscale:
      break;
  }
  return {cause, {}, part.index};
}

// The sum over parts hides where it began: each runs again by itself, until one is not finite.
StepIncident TrainStep::explain(const StepExamples& examples, double weight, double loss,
                                const GradientSummary& gradients) {
  for (std::size_t i = 0; examples.parts() > 1 && i < examples.parts(); ++i) {
    const Part part = part_of(examples, weight, i);
    forward(examples, part);
    const double loss_of_part = backward(part, false);
    const GradientSummary of_part = summarise();
    if (!of_part.finite) return find_incident(part, loss_of_part, of_part);
  }
  return find_incident(part_of(examples, weight, examples.parts() - 1), loss, gradients);
}

std::vector<std::string> TrainStep::tensors_of(const StepIncident& incident) const {
  std::vector<std::string> names;
  if (!incident.tensor.empty()) names.emplace_back(incident.tensor);
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    double sum = 0;
    for (const double block : squares_[i].blocks) sum += block;
    if (!std::isfinite(sum)) names.push_back("gradient of " + model_.trained()[i]->name);
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
