// Every kernel test runs on every ISA that this CPU can run, and the program says at its end which ones those were.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "kernels/dispatch.hpp"

namespace halfstep::test {

using namespace internal;

void record_isa(std::string_view name);

// In the order of the ISA list; empty when no test looped over ISAs.
std::vector<std::string> covered_isas();

// Those of HALFSTEP_REQUIRED_ISAS (separated by blanks) that were not covered, though some test looped over ISAs.
std::vector<std::string> missing_isas();

// Whether tests are to loop over this ISA: those of HALFSTEP_TEST_ISAS, or all where that is not set.
bool is_tested(std::string_view name);

// Calls f(const KernelTable&) for each; a failing check names the ISA.
template <class F>
void for_each_runnable_isa(F f) {
  for (const IsaState& state : isas()) {
    if (!state.runnable || !is_tested(state.name)) continue;
    INFO("ISA " << std::string(state.name));
    record_isa(state.name);
    f(*state.table);
  }
}

}  // namespace halfstep::test
