// Threads and kernels of one job.
#pragma once
#include <memory>
#include <string>

#include "halfstep/options.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

struct Machine {
  explicit Machine(const Options& options);

  std::unique_ptr<ParallelLimit> limit;  // only where a program of its own asks for more threads than CPUs
  std::unique_ptr<Executor> executor;
  const KernelTable* kernels;
  std::string description;  // ISA and threads, with the reasons
};

}  // namespace halfstep::internal
