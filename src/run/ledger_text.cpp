// The ledger in words.
#include "halfstep/ledger.hpp"
#include "halfstep/text.hpp"

namespace halfstep {

std::string_view explain(StepCause cause) {
  constexpr std::string_view kTexts[] = {
      "nothing is wrong",
      "an input is non-finite in the storage type",
      "a weight is non-finite in the storage type",
      "the forward pass is non-finite",
      "the loss is non-finite",
      "a scaled gradient is non-finite in the storage type",
      "a weight gradient is non-finite in fp32",
      "a gradient leaves fp32 once the loss scale is divided out, or is too large to be clipped"};
  return kTexts[static_cast<std::size_t>(cause)];
}

std::string text(const LedgerEntry& e) {
  std::string out = std::to_string(e.steps) + (e.steps == 1 ? " step " : " steps ") + std::string(name(e.outcome));
  out +=
      " (" + (e.first == e.last ? std::to_string(e.first) : std::to_string(e.first) + " to " + std::to_string(e.last));
  out += "): " + std::string(explain(e.cause)) + (e.tensor.empty() ? "" : ", first in " + e.tensor);
  out += ", at loss scale " + number_text(e.most_loss_scale);
  return e.least_loss_scale == e.most_loss_scale ? out : out + " to " + number_text(e.least_loss_scale);
}

}  // namespace halfstep
