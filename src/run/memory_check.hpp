// Refuses a run that needs more memory than there is.
#pragma once
#include "base/memory_limit.hpp"
#include "train/memory_plan.hpp"

namespace halfstep::internal {

// Before anything is allocated: a run that cannot end must not push what else runs here out of memory first. Throws
// Error(out_of_memory) where the plan is larger than `limit`, and Error(limit) where it cannot be counted.
void check_memory(const RunShape& run, const MemoryLimit& limit = memory_limit());

// Whether check_memory would let it pass.
bool fits_memory(const RunShape& run, const MemoryLimit& limit = memory_limit());

}  // namespace halfstep::internal
