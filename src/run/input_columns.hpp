// The inputs of a run, column by column: what fp16 would make of them.
#pragma once
#include <cstdint>
#include <vector>

#include "halfstep/preflight.hpp"
#include "kernels/table.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {

struct InputColumns {
  PreflightTensor tensor;               // all that was read
  std::vector<PreflightColumn> narrow;  // those that do not fit fp16, the largest first, then those that vanish in it
  std::int64_t rows = 0;                // that were read: all, or of many a part, evenly chosen
};

InputColumns input_columns(const Prepared& prepared, const KernelTable& kernels);

}  // namespace halfstep::internal
