#include "run/model_text.hpp"

#include "halfstep/text.hpp"
#include "nn/network.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {

std::string architecture_text(const ModelSpec& spec) {
  const PlanOnly plan;
  const std::string text = Network(network_of(spec, {.max_rows = 1})).describe();
  return spec.dropout == 0 ? text : text + ", dropout " + number_text(spec.dropout);
}

std::string precision_text(const ModelSpec& spec) {
  const std::string exceptions = exceptions_text(spec);
  return std::string(name(spec.precision)) + (exceptions.empty() ? "" : " but " + exceptions);
}

std::string exceptions_text(const ModelSpec& spec) {
  std::string text;
  for (std::size_t i = 0; i < spec.layer_precision.size(); ++i) {
    if (spec.layer_precision[i] == spec.precision) continue;
    text += (text.empty() ? "" : ",") + std::to_string(i) + "=" + std::string(name(spec.layer_precision[i]));
  }
  return text;
}

}  // namespace halfstep::internal
