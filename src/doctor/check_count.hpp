// Counts what passed and keeps the first failure of each kernel.
#pragma once
#include <string>
#include <utility>

#include "halfstep/machine_check.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// A table under test, and the outcome so far.
struct TableUnderTest {
  const KernelTable& kernels;
  IsaCheck check;
  bool failed = false;  // the kernel that is being tried

  void failure(const KernelFailure& found) {
    check.failures.push_back(found);
    check.failures.back().isa = check.isa;
    failed = true;
  }
  void kernel_ended() {
    ++check.kernels;
    if (!std::exchange(failed, false)) ++check.passed;
  }
};

// "0x3f800001": as many digits as the type has.
std::string bits_text(std::uint64_t bits, std::size_t bytes);

}  // namespace halfstep::internal
