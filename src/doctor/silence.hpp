// Why layers get no gradient, though no step was withheld.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "doctor/capsule.hpp"
#include "halfstep/incident.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

// `silent`: the weights without one. None: run again, the step has a gradient everywhere.
std::optional<Incident> examine_silence(const Capsule& capsule, const std::vector<std::string>& silent,
                                        const KernelTable& kernels, Executor& executor);

}  // namespace halfstep::internal
