#include "train/step.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/fp_env.hpp"

namespace halfstep::internal {
namespace {

double weight_of_step(const Loss& loss, const StepExamples& examples) {
  return examples.weight > 0 ? examples.weight : total_weight(loss, examples.targets, examples.rows);
}

}  // namespace

StepReport TrainStep::run(const StepExamples& examples, double lr, StepMeter* meter) {
  const bool measured = meter == nullptr && watch_ == nullptr && pace_.measures_next();
  const Executor::Alone alone(context_.executor, pace_.alone());
  if (!measured) return run_on_threads(examples, lr, meter);
  const auto start = std::chrono::steady_clock::now();
  const StepReport report = run_on_threads(examples, lr, meter);
  pace_.took(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return report;
}

StepReport TrainStep::run(std::size_t rows, const Targets& targets, double lr, StepMeter* meter) {
  return run({rows, targets, rows, [](std::size_t, std::size_t, Activations&) {}}, lr, meter);
}

StepReport TrainStep::run_on_threads(const StepExamples& examples, double lr, StepMeter* meter) {
  const FpEnvGuard fp_env;
  StepReport report;
  GradientSummary gradients;
  const double weight = weight_of_step(loss_, examples);
  const std::size_t parts = examples.parts();
  bool again = false;
  do {
    report.loss_scale = scaler_.scale();
    double losses = 0;
    largest_d_ = 0;
    if (again && parts > 1) model_.discard_statistics();
    for (std::size_t i = 0; i < parts; ++i) {
      const Part part = part_of(examples, weight, i);
      // What a single part's forward pass has left is still there.
      if (!again || parts > 1) forward(examples, part);
      backward(part, i > 0, losses);
      if (meter) read_meter(*meter, part);
    }
    report.loss = mean_loss(losses, weight);
    enter(watch_, StepStage::summarise);
    gradients = summarise();
    bad_gradients_.assign(squares_.size(), false);
    if (!gradients.finite) report.incident = explain(examples, weight, report.loss, gradients);
    again = !gradients.finite && run_again(report);
  } while (again);
  enter(watch_, StepStage::update);
  if (gradients.finite) {
    optimizer_.begin_step(lr, gradients.multiplier, gradients.limit);
    const bool whole = meter != nullptr || watch_ != nullptr || !cache_of_updates_;
    whole ? update_.run() : update_.begin(*cache_of_updates_);
  }
  gradients.finite ? model_.commit_statistics() : model_.discard_statistics();
  if (meter) meter->finish(gradients.finite, static_cast<double>(report.loss_scale));
  if (gradients.finite && headroom_) headroom_->fit(scaler_, largest_d_);
  scaler_.update(gradients.finite, smaller_scale_helps(report.incident.cause));
  ++clock_.masks;
  ++clock_.attempted;
  clock_.applied += gradients.finite ? 1 : 0;
  report.applied = gradients.finite;
  report.grad_norm = gradients.norm;
  return report;
}

void TrainStep::run_part(const StepExamples& examples, std::size_t index) {
  const FpEnvGuard fp_env;
  const Part part = part_of(examples, weight_of_step(loss_, examples), index);
  double losses = 0;
  forward(examples, part);
  backward(part, false, losses);
  model_.discard_statistics();
}

TrainStep::TrainStep(GemmContext& context, Network& model, const Loss& loss, Optimizer& optimizer, GradScaler& scaler,
                     Clock& clock, ClipOptions clip, std::optional<Headroom> headroom)
    : context_(context),
      model_(model),
      loss_(loss),
      optimizer_(optimizer),
      scaler_(scaler),
      clock_(clock),
      clip_(clip),
      headroom_(headroom),
      pace_(context.executor.threads()),
      update_(context, model, optimizer) {
  for (const Parameter* p : model_.trained()) squares_.push_back({{p->squares.data(), p->squares.size()}});
  bad_gradients_.resize(squares_.size());
}

std::vector<OptimizerTensor> TrainStep::tensor_sizes(const Network& network, double embedding_rate) {
  std::vector<OptimizerTensor> sizes;
  for (const Parameter* p : network.trained()) {
    OptimizerTensor& t = sizes.emplace_back(p->size(), p->has_master, p->storage, p->decays);
    if (p->is_matrix() && p->block + 1 < network.blocks()) t.hidden = p->strips;
    t.vector = !p->is_matrix();
    if (p->embeds) t.rate = embedding_rate;
  }
  return sizes;
}

TrainStep::Part TrainStep::part_of(const StepExamples& examples, double weight, std::size_t index) const {
  const std::size_t first = examples.begin_of(index), end = examples.begin_of(index + 1);
  Targets targets = examples.targets;
  if (targets.labels) targets.labels += first;
  if (targets.values) targets.values += first * model_.shape().widths.back();
  if (targets.weights) targets.weights += first;
  return {index, first, end - first, targets, weight};
}

void TrainStep::forward(const StepExamples& examples, const Part& part) {
  examples.load(part.first, part.rows, model_.input());
  enter(watch_, StepStage::forward);
  model_.forward(context_, part.rows, clock_.masks + 1, update_.beside_forward(), examples.first_row + part.first);
  update_.finished();
}

void TrainStep::backward(const Part& part, bool accumulate, double& losses) {
  enter(watch_, StepStage::loss);
  // Leaves the gradient by the logits, times the loss scale.
  evaluate(part, model_.logits_gradient().d, model_.logits_gradient().sums, losses);
  model_.backward(context_, part.rows, accumulate, watch_);
  if (headroom_) largest_d_ = std::max(largest_d_, largest_d(part.rows));
}

void TrainStep::evaluate(const Part& part, const StorageTarget& d_logits, float* sums, double& losses) {
  const LogitsView logits = {model_.logits(), model_.logits_ld(), model_.shape().widths.back(), part.rows,
                             model_.shape().members};
  const LossGradient gradient = {d_logits, sums, model_.logits_ld()};
  add_losses(loss_, context_.kernels, context_.executor, logits, part.targets, scaler_.scale(), &gradient, part.weight,
             losses);
}

void TrainStep::read_meter(StepMeter& meter, const Part& part) {
  double known = 0;
  if (part.index == 0) meter.begin();
  meter.read_part(context_, part.rows, [&](const StorageTarget& d, float* sums) { evaluate(part, d, sums, known); });
}

GradientSummary TrainStep::summarise() {
  // Clip by value comes before the norm is taken, so only this combination costs a pass of its own.
  if (clip_.value > 0 && clip_.norm > 0) clip_by_value();
  return summarise_gradients(squares_, scaler_.scale(), scaler_.inv_scale(), clip_);
}

bool TrainStep::run_again(StepReport& report) {
  const bool again = headroom_ && smaller_scale_helps(report.incident.cause) && headroom_->retreat(scaler_);
  if (again) ++report.reruns;
  return again;
}

void TrainStep::visit_state(StateVisitor& visitor) {
  if (!headroom_) return;
  const StateVisitor::Group group(visitor, "headroom");
  headroom_->visit_state(visitor);
}

void TrainStep::clip_by_value() {
  const KernelTable& kernels = context_.kernels;
  const auto limit = static_cast<float>(clip_.value) * scaler_.scale();
  auto clip = [&](float* gradient, std::size_t n, double& squares) {
    if (!(squares < std::numeric_limits<double>::infinity())) return;  // an infinity must stay visible
    kernels.clamp(n, limit, gradient);
    squares = kernels.sum_squares(n, gradient);
  };
  for (Parameter* p : model_.trained()) {
    if (!p->is_matrix()) {
      clip(p->gradient.data(), p->size(), p->squares[0]);
      continue;
    }
    context_.executor.run(p->strips.strips(), [&](std::size_t strip, int) {
      for (std::size_t b = 0; b < p->strips.blocks(); ++b) {
        clip(p->gradient.data() + p->strips.block_offset(strip, b), p->strips.block_size(strip, b),
             p->squares[strip * p->strips.blocks() + b]);
      }
    });
  }
}

}  // namespace halfstep::internal
