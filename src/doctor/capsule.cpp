#include "doctor/capsule.hpp"

#include <algorithm>
#include <cstring>

#include "doctor/signals.hpp"

namespace halfstep::internal {
namespace {

template <class T>
std::vector<T> copy_of(const T* from, std::size_t n) {
  return from == nullptr ? std::vector<T>() : std::vector<T>(from, from + n);
}

}  // namespace

std::optional<Capsule> take_capsule(StepTrainer& trainer, const WithheldStep& step) {
  const StepExamples& e = step.examples;
  const TrainerConfig& config = trainer.config();
  const std::size_t inputs = config.model.widths.front();
  if (e.rows > kMostCapsuleBytes / sizeof(float) / inputs) return {};
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
  c.rows = e.rows;
  // Of the two only what the loss reads is there.
  if (has_labels(config.model.loss)) {
    c.labels = copy_of(e.targets.labels, e.rows);
  } else {
    c.values = copy_of(e.targets.values, e.rows * config.model.widths.back());
  }
  c.weights = copy_of(e.targets.weights, e.rows);
  c.examples.assign(step.rows.begin(), step.rows.end());
  c.digest = step_digest(trainer.model(), e.begin_of(step.part + 1) - e.begin_of(step.part));
  c.tensors = trainer.model().tensors();
  c.recent = trainer.recent().list();

  // In fp32: what a row was before it was rounded to the storage type of the first layer.
  Activations input = make_activations(pad_rows(e.part_rows), inputs, Dtype::fp32, false);
  c.x.resize(e.rows * inputs);
  for (std::size_t i = 0; i < e.parts(); ++i) {
    const std::size_t first = e.begin_of(i), count = e.begin_of(i + 1) - first;
    e.load(first, count, input);
    for (std::size_t r = 0; r < count; ++r) {
      std::memcpy(c.x.data() + (first + r) * inputs, input.rows.data() + r * input.ld * sizeof(float),
                  inputs * sizeof(float));
    }
  }
  return c;
}

}  // namespace halfstep::internal
