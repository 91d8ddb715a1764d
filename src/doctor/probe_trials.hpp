// Tries the kernels that probes describe.
#pragma once
#include <vector>

#include "doctor/check_count.hpp"

namespace halfstep::internal {

void try_probes(const KernelTable& reference, std::vector<TableUnderTest>& tables);

}  // namespace halfstep::internal
