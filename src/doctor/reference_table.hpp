// What kernels are held against.
#pragma once
#include "kernels/table.hpp"

namespace halfstep::internal {

// The table of scalar, but for its conversions: those of base/float16.hpp, which are integer arithmetic alone, so that
// scalar is tested too where a wrong instruction or a wrong control word would show first.
KernelTable reference_table(const KernelTable& scalar);

}  // namespace halfstep::internal
