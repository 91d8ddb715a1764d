// Why a step is not finite. Reads every tensor of the step once, and only after something went wrong.
#include <bit>
#include <cmath>

#include "base/dtype.hpp"
#include "train/step.hpp"

namespace halfstep {
namespace {

// The least magnitude that rounds to infinity in the storage type: half a unit above the largest finite number.
float beyond(Dtype dtype) {
  if (dtype == Dtype::fp16) return 65520;
  return dtype == Dtype::bf16 ? 0x1.ffp127f : INFINITY;
}

std::string tensor_name(std::size_t layer, const char* part) { return "layers." + std::to_string(layer) + "." + part; }

// NaN where there is one.
float largest_of(const KernelTable& kernels, Dtype dtype, std::size_t n, const void* x) {
  return std::bit_cast<float>(kernels.scan[index_of(dtype)](n, x, INFINITY).largest);
}

}  // namespace

float TrainStep::largest(const Activations& a, std::size_t rows) const {
  return largest_of(context_.kernels, a.dtype, pad_rows(rows) * a.ld, a.rows.data());
}

float TrainStep::largest_d(std::size_t rows) const {
  float most = 0;
  for (const Dense& l : model_.layers()) {
    if (l.dtype != Dtype::fp16) continue;  // the others have fp32's range
    const float here = largest(l.d, rows);
    if (here > most || std::isnan(here)) most = here;
  }
  return most;
}

bool TrainStep::forward_is_finite(std::size_t layer, std::size_t rows) const {
  const Dense& l = model_.layers()[layer];
  const std::size_t padded = pad_rows(rows);
  if (layer + 1 == model_.layers().size()) {
    return std::isfinite(largest_of(context_.kernels, Dtype::fp32, padded * model_.logits_ld(), model_.logits()));
  }
  const bool z = l.z.size() == 0 || std::isfinite(largest_of(context_.kernels, l.y.dtype, padded * l.y.ld, l.z.data()));
  return z && std::isfinite(largest(l.y, rows));
}

Incident TrainStep::check_weights() const {
  const auto fits = [&](const AlignedBuffer<float>& tensor, float limit) {
    return largest_of(context_.kernels, Dtype::fp32, tensor.size(), tensor.data()) < limit;
  };
  for (std::size_t i = 0; i < model_.layers().size(); ++i) {
    const Dense& l = model_.layers()[i];
    // Without masters the packed weights are all there is.
    const bool whole =
        l.master ? fits(l.weight, beyond(l.dtype))
                 : std::isfinite(largest_of(context_.kernels, l.dtype, l.layout.size(), l.packed_forward.data()));
    if (!whole) return {StepCause::weights, i, "weight"};
    if (!fits(l.bias, INFINITY)) return {StepCause::weights, i, "bias"};  // this and the others stay fp32
    for (const NormParameter& p : l.norm_parameters) {
      if (!fits(p.values, INFINITY)) return {StepCause::weights, i, p.name};
    }
    for (const RunningStatistic& s : l.running) {
      if (!fits(s.values, INFINITY)) return {StepCause::weights, i, s.name};
    }
  }
  return {};
}

Incident TrainStep::find_incident(std::size_t rows, double loss, const GradientSummary& gradients) const {
  const std::size_t layers = model_.layers().size();
  const Incident weights = check_weights();
  std::size_t forward = 0, backward = layers;  // the first layer of each pass that is not finite
  while (forward < layers && forward_is_finite(forward, rows)) ++forward;
  while (backward > 0 && std::isfinite(largest(model_.layers()[backward - 1].d, rows))) --backward;
  const StepCause cause = cause_of({.data = std::isfinite(largest(model_.input(), rows)),
                                    .weights = weights.cause == StepCause::none,
                                    .forward = forward == layers,
                                    .loss = std::isfinite(loss),
                                    .d = backward == 0,
                                    .gradients = gradients.first_bad < 0,
                                    .unscaled = gradients.finite});
  if (cause == StepCause::weights) return weights;
  if (cause == StepCause::forward) return {cause, forward};
  if (cause == StepCause::scale) return {cause, backward - 1};
  if (cause != StepCause::gradient) return {cause};
  return places_[static_cast<std::size_t>(gradients.first_bad)];
}

// The sum over parts hides where it began: each runs again by itself, until one is not finite.
Incident TrainStep::explain(const StepExamples& examples, double weight, double loss,
                            const GradientSummary& gradients) {
  for (std::size_t i = 0; examples.parts() > 1 && i < examples.parts(); ++i) {
    const Part part = part_of(examples, weight, i);
    forward(examples, part);
    const double loss_of_part = backward(part, false);
    const GradientSummary of_part = summarise();
    if (!of_part.finite) return find_incident(part.rows, loss_of_part, of_part);
  }
  return find_incident(part_of(examples, weight, examples.parts() - 1).rows, loss, gradients);
}

std::vector<std::string> TrainStep::tensors_of(const Incident& incident) const {
  std::vector<std::string> names;
  switch (incident.cause) {
    case StepCause::data:
      names.emplace_back("input");
      break;
    case StepCause::weights:
      names.push_back(tensor_name(incident.layer, incident.parameter));
      break;
    case StepCause::forward:
      names.push_back(incident.layer + 1 == model_.layers().size() ? "logits" : tensor_name(incident.layer, "output"));
      break;
    case StepCause::loss:
      names.emplace_back("loss");
      break;
    case StepCause::scale:
      names.push_back(tensor_name(incident.layer, "d"));
      break;
    case StepCause::none:
    case StepCause::gradient:
    case StepCause::unscale:
      break;  // the gradients below say all
  }
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    double sum = 0;
    for (const double block : squares_[i].blocks) sum += block;
    if (!std::isfinite(sum)) names.push_back("gradient of " + tensor_name(places_[i].layer, places_[i].parameter));
  }
  return names;
}

}  // namespace halfstep
