#include "doctor/capsule.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "doctor/signals.hpp"
#include "halfstep/text.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

template <class T>
std::vector<T> copy_of(const T* from, std::size_t first, std::size_t n) {
  return from == nullptr ? std::vector<T>() : std::vector<T>(from + first, from + first + n);
}

}  // namespace

KeptRows kept_rows(const StepTrainer& trainer, const WithheldStep& step, std::size_t most_bytes) {
  const StepExamples& e = step.examples;
  const std::size_t inputs = trainer.config().model.widths.front();
  if (e.parts() == 1 || e.rows <= most_bytes / sizeof(float) / inputs) return {0, e.rows, true};
  const std::size_t first = e.begin_of(step.part);
  return {first, e.begin_of(step.part + 1) - first, false};
}

Capsule take_capsule(StepTrainer& trainer, const WithheldStep& step, std::size_t most_bytes) {
  const StepExamples& e = step.examples;
  const TrainerConfig& config = trainer.config();
  const std::size_t inputs = config.model.widths.front(), outputs = config.model.widths.back();
  const KeptRows kept = kept_rows(trainer, step, most_bytes);
  Capsule c;
  c.model = config.model;
  c.clip = config.clip;
  c.optimizer = config.optimizer.kind;
  c.weight_decay = config.optimizer.weight_decay;
  c.seed = config.seed;
  c.clock = step.clock;
  c.lr = step.record.lr;
  c.loss_scale = static_cast<float>(step.record.loss_scale);
  c.scale_moves = trainer.scaler().dynamic();
  c.part_rows = e.part_rows;
  if (!step.rows.empty()) {
    const EpochPlan plan = epoch_plan(config);
    c.batch = static_cast<std::int64_t>(step.clock.row / plan.step_rows) + 1;
  }
  c.cause = step.record.cause;
  if (!step.record.tensors.empty()) c.tensor = step.record.tensors.front();
  c.loss = step.record.loss;
  c.rows = kept.count;
  c.step_rows = e.rows;
  c.first_row = kept.first;
  if (!kept.whole) c.weight = total_weight(*loss_of(config.model), e.targets, e.rows);
  // Of the two only what the loss reads is there.
  if (has_labels(config.model.loss)) {
    c.labels = copy_of(e.targets.labels, kept.first, kept.count);
  } else {
    c.values = copy_of(e.targets.values, kept.first * outputs, kept.count * outputs);
  }
  c.weights = copy_of(e.targets.weights, kept.first, kept.count);
  if (!step.rows.empty()) {
    const std::span<const std::uint32_t> examples = step.rows.subspan(kept.first, kept.count);
    c.examples.assign(examples.begin(), examples.end());
  }
  c.digest = step_digest(trainer.model(), e.begin_of(step.part + 1) - e.begin_of(step.part));
  c.tensors = trainer.model().tensors();
  c.recent = trainer.recent().list();

  // In fp32: what a row was before it was rounded to the storage type of the first layer.
  Activations input = make_activations(pad_rows(e.part_rows), inputs, Dtype::fp32, false);
  c.x.resize(kept.count * inputs);
  for (std::size_t i = kept.whole ? 0 : step.part; i < (kept.whole ? e.parts() : step.part + 1); ++i) {
    const std::size_t first = e.begin_of(i), count = e.begin_of(i + 1) - first;
    e.load(first, count, input);
    for (std::size_t r = 0; r < count; ++r) {
      std::memcpy(c.x.data() + (first - kept.first + r) * inputs, input.rows.data() + r * input.ld * sizeof(float),
                  inputs * sizeof(float));
    }
  }
  return c;
}

std::string too_large(const Capsule& c, std::size_t most_bytes) {
  const std::size_t bytes = c.x.size() * sizeof(float);
  if (bytes <= most_bytes) return {};
  const auto megabytes = [](std::size_t n) { return short_number(static_cast<double>(n) / 1e6, 3) + " MB"; };
  return "the rows that go through the network together take " + megabytes(bytes) + ", and a capsule ends at " +
         megabytes(most_bytes) + ": --batch " +
         std::to_string(std::max<std::size_t>(most_bytes / sizeof(float) / c.inputs(), 1)) +
         ", with --accumulate for as many rows in a step, can be kept";
}

std::string what_is_kept(const Capsule& c) {
  if (c.weight == 0) return {};
  return "the capsule keeps " + std::to_string(c.rows) + " of the " + std::to_string(c.step_rows) +
         " rows of its step, which are too many: those of the part that is not finite";
}

}  // namespace halfstep::internal
