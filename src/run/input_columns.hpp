// The inputs of a run as the network gets them, column by column.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "halfstep/preflight.hpp"
#include "kernels/table.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {

// The value of a column that is largest in magnitude, and its row. One that is not finite is passed over: the step says
// more about it.
struct Extreme {
  float value = 0;
  std::uint32_t row = 0;

  void see(float v, std::uint32_t at) {
    if (std::isfinite(v) && std::fabs(v) > std::fabs(value)) *this = {v, at};
  }
};

struct InputColumns {
  PreflightTensor tensor;         // all that was read
  std::vector<Extreme> extremes;  // of each column
  std::int64_t rows = 0;          // that were read: all, or of many a part, evenly chosen
};

InputColumns input_columns(const Prepared& prepared, const KernelTable& kernels);

}  // namespace halfstep::internal
