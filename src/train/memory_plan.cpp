#include "train/memory_plan.hpp"

#include <algorithm>
#include <limits>

#include "train/step.hpp"

namespace halfstep::internal {
namespace {

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int64_t>::max();

std::uint64_t clamped(std::size_t bytes) {
  return std::min<std::uint64_t>(bytes, static_cast<std::uint64_t>(kMostBytes));
}

}  // namespace

std::size_t memory_of(const data::Examples& e) {
  const std::size_t sparse = e.sparse.offsets.size() * sizeof(e.sparse.offsets[0]) +
                             e.sparse.columns.size() * sizeof(e.sparse.columns[0]) +
                             (e.sparse.values.size() + e.usual.size()) * sizeof(float);
  return e.x.size() * sizeof(float) + e.bytes.size() + sparse + e.labels.size() * sizeof(e.labels[0]) +
         e.targets.size() * sizeof(e.targets[0]) + e.exact_targets.size() * sizeof(e.exact_targets[0]) +
         e.weights.size() * sizeof(e.weights[0]);
}

std::vector<MemoryPart> memory_parts(const RunShape& run, const Network& network, const Optimizer& optimizer,
                                     const LastGood& last_good, const Extras& extras) {
  const ModelMemory model = network.memory();
  std::vector<MemoryPart> parts;
  const auto add = [&](const char* what, std::size_t bytes) {
    if (bytes > 0) parts.push_back({what, static_cast<std::int64_t>(clamped(bytes))});
  };
  add("examples", run.examples);
  add("master weights", model.masters);
  add("working weights", model.working_weights);
  add("gradients by weights", model.gradients);
  add("optimizer", optimizer.memory_bytes());
  add("activations", model.activations);
  add("gradients by activations", model.activation_gradients);
  add("last good weights", last_good.memory_bytes());
  add("best weights", extras.best != nullptr ? extras.best->memory_bytes() : 0);
  add("average of weights", extras.average != nullptr ? extras.average->memory_bytes() : 0);
  add("meters", extras.meter != nullptr ? extras.meter->memory_bytes() : 0);
  add("scratch of the threads", static_cast<std::size_t>(run.threads) * GemmContext::kWorkerFloats * sizeof(float));
  add("model file, while it is saved", network.elements() * sizeof(float));
  return parts;
}

std::vector<MemoryPart> planned_memory(const RunShape& run) {
  const PlanOnly plan;
  Network model(run.model);
  const auto optimizer = make_optimizer(run.optimizer, TrainStep::tensor_sizes(model));
  model.drop_masters();
  const LastGood last_good(model);
  const std::optional<StepMeter> meter = run.meters ? std::optional<StepMeter>(model) : std::nullopt;
  const std::optional<WeightCopy> best = run.keeps_best ? std::optional<WeightCopy>(model) : std::nullopt;
  const std::optional<WeightAverage> average = run.averages ? std::optional<WeightAverage>(model) : std::nullopt;
  return memory_parts(run, model, *optimizer, last_good,
                      {best ? &*best : nullptr, average ? &*average : nullptr, meter ? &*meter : nullptr});
}

std::int64_t total_bytes(const std::vector<MemoryPart>& parts) {
  std::int64_t total = 0;
  for (const MemoryPart& part : parts) total = part.bytes > kMostBytes - total ? kMostBytes : total + part.bytes;
  return total;
}

bool is_countable(const NetworkShape& shape) {
  const std::size_t widest = *std::max_element(shape.widths.begin(), shape.widths.end());
  return widest <= std::size_t{1} << 28 && shape.max_rows <= std::size_t{1} << 32 && shape.widths.size() <= 512;
}

std::size_t batch_that_fits(const RunShape& run, std::uint64_t bytes) {
  constexpr std::size_t kLeastRows = 4;  // BatchNorm wants three
  RunShape smaller = run;
  std::size_t rows = kLeastRows;
  while (2 * rows < run.model.max_rows) rows *= 2;
  for (; rows >= kLeastRows; rows /= 2) {
    smaller.model.max_rows = rows;
    if (static_cast<std::uint64_t>(total_bytes(planned_memory(smaller))) <= bytes) return rows;
  }
  return 0;
}

}  // namespace halfstep::internal
