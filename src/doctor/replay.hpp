// A step in several precisions, side by side.
#pragma once
#include "doctor/capsule.hpp"
#include "halfstep/diagnosis.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

Replay replay_step(const Capsule& capsule, const KernelTable& kernels, Executor& executor);

}  // namespace halfstep::internal
