// The arithmetic peak of the machine, measured.
#pragma once

#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// Multiply-add rate of `threads` cores in GFLOP/s over about `seconds`: each runs an instruction loop on registers and
// is timed on its own. bf16: the faster of fma and the dot-product instruction, where the ISA has one.
double measure_peak(const KernelTable& kernels, Dtype dtype, int threads, double seconds = 0.004);

}  // namespace halfstep::internal
