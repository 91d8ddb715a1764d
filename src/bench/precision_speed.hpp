// How fast each precision is on one ISA with so many threads: measured in turns, in about half a second.
#pragma once
#include <string>
#include <vector>

#include "halfstep/machine_check.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// fp32 first. Throws Error(out_of_memory).
std::vector<PrecisionSpeed> precision_speeds(const KernelTable& kernels, int threads);

// "bf16 trains fastest here: ...", for people.
std::string fastest_precision(std::vector<PrecisionSpeed> speeds);

}  // namespace halfstep::internal
