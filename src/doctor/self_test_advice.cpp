#include "doctor/self_test_advice.hpp"

namespace halfstep::internal {
namespace {

const IsaCheck* check_of(std::span<const IsaCheck> checks, std::string_view isa) {
  for (const IsaCheck& check : checks) {
    if (check.isa == isa) return &check;
  }
  return nullptr;
}

std::string failures(const IsaCheck& check) {
  const KernelFailure& first = check.failures.front();
  const std::size_t others = check.failures.size() - 1;
  std::string text = check.isa + ": " + first.kernel + " of " + std::string(name(first.dtype)) + " gave " + first.got +
                     ", not " + first.wanted;
  if (others > 0) text += ", and " + std::to_string(others) + " other" + (others > 1 ? "s" : "");
  return text;
}

// The widest that passed.
std::string passing(std::span<const IsaCheck> checks, std::span<const std::string> usable) {
  std::string best;
  for (const std::string& isa : usable) {
    const IsaCheck* check = check_of(checks, isa);
    if (check && check->failures.empty()) best = isa;
  }
  return best;
}

}  // namespace

std::string self_test_advice(std::span<const IsaCheck> checks, std::string_view chosen,
                             std::span<const std::string> usable) {
  std::string failed;
  for (const IsaCheck& check : checks) {
    if (!check.failures.empty()) failed += (failed.empty() ? "" : "; ") + failures(check);
  }
  if (failed.empty()) return {};
  const std::string best = passing(checks, usable);
  const IsaCheck* own = check_of(checks, chosen);
  const std::string what = "kernels compute wrongly here (" + failed + "); ";
  if (own && own->failures.empty()) return what + std::string(chosen) + ", which runs take, passed";
  return what + (best.empty() ? "trust no result of this machine" : "use --isa " + best + ", which passed");
}

}  // namespace halfstep::internal
