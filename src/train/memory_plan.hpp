// What memory a training run needs, known before any of it is allocated.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/examples.hpp"
#include "halfstep/memory_part.hpp"
#include "nn/network.hpp"
#include "nn/weight_average.hpp"
#include "nn/weight_copy.hpp"
#include "optim/optimizer.hpp"
#include "train/last_good.hpp"
#include "train/step_meter.hpp"

namespace halfstep::internal {

struct RunShape {
  NetworkShape model;
  OptimizerOptions optimizer;
  bool meters;
  bool keeps_best;
  bool averages;
  std::size_t examples;  // bytes that are allocated already
  int threads;
};

// Bytes of prepared rows.
std::size_t memory_of(const data::Examples& examples);

// What not every run has, null where it has not.
struct Extras {
  const WeightCopy* best = nullptr;
  const WeightAverage* average = nullptr;
  const StepMeter* meter = nullptr;
};

// What these objects hold and what comes to it, but for the program itself.
std::vector<MemoryPart> memory_parts(const RunShape&, const Network&, const Optimizer&, const LastGood&, const Extras&);

// The same from the shape alone: the objects are built, with buffers that have a size and no memory. What huge pages
// hold beside the buffers shows only later.
std::vector<MemoryPart> planned_memory(const RunShape&);

// Of all parts, no more than what 64 bits with a sign can hold.
std::int64_t total_bytes(const std::vector<MemoryPart>& parts);

// Whether 64 bits can count the sizes above: rows times columns, or columns times columns, of numbers.
bool is_countable(const NetworkShape& shape);

// The largest batch with which the run needs at most `bytes`, of the powers of two from 4 up to below that of `run`; 0:
// none does.
std::size_t batch_that_fits(const RunShape& run, std::uint64_t bytes);

}  // namespace halfstep::internal
