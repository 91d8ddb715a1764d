// The read of the stand-alone gradient pass: tensors of any dtype, in chunks whose size and order of summation are
// fixed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "halfstep/gradients.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

struct TensorScan {
  double squares = 0;  // after clamping to [-limit, limit]
  float largest = 0;   // magnitude before; inf or NaN where the tensor has one
};

// One result for each tensor. `limit`: infinity is none.
std::vector<TensorScan> scan_tensors(const KernelTable& kernels, Executor& executor,
                                     std::span<const GradientTensor> tensors, float limit);

}  // namespace halfstep::internal
