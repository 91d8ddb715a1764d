// What a training run takes, known before any of it is taken.
#pragma once
#include <vector>

#include "base/memory_limit.hpp"
#include "halfstep/jobs.hpp"
#include "nn/network.hpp"
#include "optim/optimizer.hpp"
#include "train/last_good.hpp"
#include "train/step_meter.hpp"

namespace halfstep {

struct RunShape {
  NetworkShape model;
  OptimizerOptions optimizer;
  bool meters;
  std::size_t examples;  // bytes that are there already
  int threads;
};

// What these objects hold and what comes to it, but for the program itself. `meter` may be null.
std::vector<MemoryPart> memory_parts(const RunShape&, const Network&, const Optimizer&, const LastGood&,
                                     const StepMeter* meter);

// The same from the shape alone: the objects are built, with buffers that have a size and no memory. What huge pages
// hold beside the buffers shows only later.
std::vector<MemoryPart> planned_memory(const RunShape&);

// Throws Error(out_of_memory) where the plan is larger than `limit`.
void check_memory(const RunShape&, const MemoryLimit& limit = memory_limit());

}  // namespace halfstep
