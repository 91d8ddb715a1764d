// Each kernel of a table against the same kernel of another, on special values at each lane and in tails.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "halfstep/machine_check.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// A table to test, which must be able to run here.
struct TestedTable {
  std::string_view isa;
  const KernelTable* kernels;
};

// Bit for bit, but for which NaN an operation gives and for products that round in a way of their own (GemmFamily::
// native): those to a tolerance. The loops that measure the peak are no part of it.
std::vector<IsaCheck> self_test(const KernelTable& reference, std::span<const TestedTable> tables);

}  // namespace halfstep::internal
