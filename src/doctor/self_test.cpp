#include "doctor/self_test.hpp"

#include "base/fp_env.hpp"
#include "doctor/probe_trials.hpp"
#include "doctor/tile_trials.hpp"

namespace halfstep::internal {

std::string bits_text(std::uint64_t bits, std::size_t bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (std::size_t digit = 2 * bytes; digit-- > 0;) text += kDigits[bits >> 4 * digit & 15];
  return text;
}

std::vector<IsaCheck> self_test(const KernelTable& reference, std::span<const TestedTable> tables) {
  const FpEnvGuard guard;
  std::vector<TableUnderTest> under_test;
  for (const TestedTable& table : tables) under_test.push_back({*table.kernels, {std::string(table.isa)}});
  try_probes(reference, under_test);
  try_tiles(reference, under_test);
  std::vector<IsaCheck> checks;
  for (TableUnderTest& table : under_test) checks.push_back(std::move(table.check));
  return checks;
}

}  // namespace halfstep::internal
