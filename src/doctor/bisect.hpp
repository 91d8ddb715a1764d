// The least that would have saved a step: layers in a wider type, or a smaller loss scale.
#pragma once
#include "doctor/capsule.hpp"
#include "halfstep/diagnosis.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

Bisection bisect(const Capsule& capsule, const KernelTable& kernels, Executor& executor);

}  // namespace halfstep::internal
