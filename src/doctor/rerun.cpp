#include "doctor/rerun.hpp"

#include <algorithm>
#include <cmath>

#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

// Changes nothing at a rate of 0, and keeps nothing.
constexpr OptimizerOptions kNoUpdate = {.kind = OptimizerKind::sgd, .momentum = 0, .weight_decay = 0};

}  // namespace

double root_mean_square(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
}

Rerun::Rerun(const Capsule& capsule, const ModelSpec& model, const KernelTable& kernels, Executor& executor)
    : capsule_(capsule),
      model_(network_of(model, {.max_rows = std::min(capsule.part_rows, capsule.rows),
                                .training = true,
                                .master = true,
                                .mask_seed = capsule.seed})),
      context_(kernels, executor),
      loss_(loss_of(model)),
      optimizer_(make_optimizer(kNoUpdate, TrainStep::tensor_sizes(model_))),
      loader_(capsule.inputs(), executor.threads()),
      load_([this](std::size_t first, std::size_t rows, Activations& input) { load(first, rows, input); }),
      examples_{capsule.rows,        capsule.targets(), model_.shape().max_rows, load_,
                model_.least_rows(), capsule.weight,    capsule.first_row} {
  model_.initialise(capsule.seed, kernels);
  for (const Parameter* p : model_.parameters()) fresh_.push_back(root_mean_square(p->values()));
  model_.set_tensors(capsule.tensors);
  model_.loaded(kernels);
}

void Rerun::load(std::size_t first, std::size_t rows, Activations& input) {
  loader_.load(context_, {.features = capsule_.inputs(), .x = capsule_.x.data()}, {.count = rows, .first = first},
               input);
}

StepReport Rerun::run(float loss_scale, StepMeter* meter) {
  GradScaler scaler({.dynamic = false, .initial = static_cast<double>(loss_scale), .minimum = 0});
  Clock clock = capsule_.clock;
  TrainStep step(context_, model_, *loss_, *optimizer_, scaler, clock, capsule_.clip);
  const StepReport report = step.run(examples_, 0, meter);
  held_ = part(report.applied ? examples_.parts() - 1 : report.incident.part);
  return report;
}

void Rerun::hold(std::size_t index) {
  if (held_.index == index) return;
  GradScaler scaler({.dynamic = false, .initial = static_cast<double>(capsule_.loss_scale), .minimum = 0});
  Clock clock = capsule_.clock;
  TrainStep step(context_, model_, *loss_, *optimizer_, scaler, clock, capsule_.clip);
  step.run_part(examples_, index);
  held_ = part(index);
}

Rerun::Part Rerun::part(std::size_t index) const {
  const std::size_t first = examples_.begin_of(index), end = examples_.begin_of(index + 1);
  Targets t = capsule_.targets();
  if (t.labels) t.labels += first;
  if (t.values) t.values += first * capsule_.outputs();
  if (t.weights) t.weights += first;
  return {index, first, end - first, t};
}

}  // namespace halfstep::internal
