#include "train/memory_plan.hpp"

#include <algorithm>
#include <limits>

#include "halfstep/error.hpp"
#include "halfstep/text.hpp"
#include "train/step.hpp"

namespace halfstep {
namespace {

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int64_t>::max();

std::int64_t sum(const std::vector<MemoryPart>& parts) {
  std::int64_t total = 0;
  for (const MemoryPart& part : parts) total = part.bytes > kMostBytes - total ? kMostBytes : total + part.bytes;
  return total;
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes) / 0x1p20;
  std::size_t unit = 0;
  for (; size >= 1024 && unit < 2; ++unit) size /= 1024;
  return short_number(size, 4) + " " + kUnits[unit];
}

std::string largest(std::vector<MemoryPart> parts) {
  std::sort(parts.begin(), parts.end(), [](const MemoryPart& a, const MemoryPart& b) { return a.bytes > b.bytes; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 3); ++i) {
    text += (i == 0 ? "" : ", ") + parts[i].what + " " + size_text(static_cast<std::uint64_t>(parts[i].bytes));
  }
  return text;
}

// A batch that fits beside whatever else runs. Where none does it is not the batch that is too large.
std::string hint(RunShape run, const MemoryLimit& limit) {
  constexpr std::size_t kLeastRows = 4;  // BatchNorm wants three
  std::size_t rows = kLeastRows;
  while (2 * rows < run.model.max_rows) rows *= 2;
  for (; rows >= kLeastRows; rows /= 2) {
    run.model.max_rows = rows;
    if (static_cast<std::uint64_t>(sum(planned_memory(run))) <= limit.bytes / 4 * 3)
      return "--batch " + std::to_string(rows);
  }
  return "a smaller --hidden, or a machine with more memory";
}

// So that sizes below are no more than 64 bits can count: rows times columns, or columns times columns, of numbers.
bool countable(const NetworkShape& shape) {
  const std::size_t widest = *std::max_element(shape.widths.begin(), shape.widths.end());
  return widest <= std::size_t{1} << 28 && shape.max_rows <= std::size_t{1} << 32 && shape.widths.size() <= 512;
}

std::uint64_t clamped(std::size_t bytes) {
  return std::min<std::uint64_t>(bytes, static_cast<std::uint64_t>(kMostBytes));
}

}  // namespace

std::vector<MemoryPart> memory_parts(const RunShape& run, const Network& network, const Optimizer& optimizer,
                                     const LastGood& last_good, const StepMeter* meter) {
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
  add("meters", meter != nullptr ? meter->memory_bytes() : 0);
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
  return memory_parts(run, model, *optimizer, last_good, meter ? &*meter : nullptr);
}

void check_memory(const RunShape& run, const MemoryLimit& limit) {
  if (!countable(run.model)) {
    throw Error(Status::limit, {.what = "the model is too large",
                                .where = {},
                                .why = "its sizes cannot be counted",
                                .kept = {},
                                .hint = "a smaller --hidden"});
  }
  const std::vector<MemoryPart> parts = planned_memory(run);
  const auto total = static_cast<std::uint64_t>(sum(parts));
  if (total <= limit.bytes) return;
  throw Error(Status::out_of_memory, {.what = "this run needs " + size_text(total) + " of memory",
                                      .where = "most of it: " + largest(parts),
                                      .why = "there are " + size_text(limit.bytes) + " (" + limit.source + ")",
                                      .kept = "no file was written",
                                      .hint = hint(run, limit)});
}

}  // namespace halfstep
