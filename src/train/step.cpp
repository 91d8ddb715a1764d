#include "train/step.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/fp_env.hpp"

namespace halfstep {

StepReport TrainStep::run(const StepExamples& examples, double lr, StepMeter* meter) {
  const bool measured = meter == nullptr && watch_ == nullptr && pace_.measures_next();
  const Executor::Alone alone(context_.executor, pace_.alone());
  if (!measured) return run_on_threads(examples, lr, meter);
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const StepReport report = run_on_threads(examples, lr, meter);
  pace_.took(std::chrono::duration<double>(Clock::now() - start).count());
  return report;
}

StepReport TrainStep::run(std::size_t rows, const Targets& targets, double lr, StepMeter* meter) {
  return run({rows, targets, rows, [](std::size_t, std::size_t) {}}, lr, meter);
}

StepReport TrainStep::run_on_threads(const StepExamples& examples, double lr, StepMeter* meter) {
  const FpEnvGuard fp_env;
  StepReport report;
  GradientSummary gradients;
  const double weight = total_weight(loss_, examples.targets, examples.rows);
  const std::size_t parts = examples.parts();
  bool again = false;
  do {
    report.loss_scale = scaler_.scale();
    report.loss = 0;
    largest_d_ = 0;
    if (again && parts > 1) model_.settle_statistics(false);
    for (std::size_t i = 0; i < parts; ++i) {
      const Part part = part_of(examples, weight, i);
      // What a single part's forward pass has left is still there.
      if (!again || parts > 1) forward(examples, part);
      report.loss += backward(part, i > 0);
    }
    enter(watch_, StepStage::summarise);
    gradients = summarise();
    if (!gradients.finite) report.incident = explain(examples, weight, report.loss, gradients);
    again = !gradients.finite && run_again(report);
  } while (again);
  if (meter) read_meter(*meter, part_of(examples, weight, parts - 1));
  enter(watch_, StepStage::update);
  if (gradients.finite) {
    optimizer_.begin_step(lr, gradients.multiplier, gradients.limit);
    const bool whole = meter != nullptr || watch_ != nullptr || !cache_of_updates_;
    whole ? update_.run() : update_.begin(*cache_of_updates_);
  }
  model_.settle_statistics(gradients.finite);
  if (meter) meter->finish(gradients.finite, static_cast<double>(report.loss_scale));
  if (gradients.finite && headroom_) headroom_->fit(scaler_, largest_d_);
  scaler_.update(gradients.finite, smaller_scale_helps(report.incident.cause));
  parts_seen_ += parts;
  report.applied = gradients.finite;
  report.grad_norm = gradients.norm;
  return report;
}

TrainStep::TrainStep(GemmContext& context, Mlp& model, const Loss& loss, Optimizer& optimizer, GradScaler& scaler,
                     ClipOptions clip, std::optional<Headroom> headroom)
    : context_(context),
      model_(model),
      loss_(loss),
      optimizer_(optimizer),
      scaler_(scaler),
      clip_(clip),
      headroom_(headroom),
      pace_(context.executor.threads()),
      update_(context, model, optimizer) {
  const std::vector<Dense>& layers = model_.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    squares_.push_back({{layers[i].squares.data(), layers[i].squares.size() - 1}});
    squares_.push_back({{&layers[i].squares.back(), 1}});
    places_.push_back({StepCause::gradient, i, "weight"});
    places_.push_back({StepCause::gradient, i, "bias"});
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const NormParameter& p : layers[i].norm_parameters) {
      squares_.push_back({{&p.squares, 1}});
      places_.push_back({StepCause::gradient, i, p.name});
    }
  }
}

std::vector<OptimizerTensor> TrainStep::tensor_sizes(Mlp& model) {
  std::vector<OptimizerTensor> sizes;
  for (const Dense& l : model.layers()) {
    sizes.emplace_back(l.layout.size(), l.master, l.dtype);
    sizes.emplace_back(l.bias.size());
  }
  for (const Dense& l : model.layers()) {
    for (const NormParameter& p : l.norm_parameters) sizes.emplace_back(p.values.size(), true, Dtype::fp32, false);
  }
  return sizes;
}

TrainStep::Part TrainStep::part_of(const StepExamples& examples, double weight, std::size_t index) const {
  const std::size_t first = examples.begin_of(index), end = examples.begin_of(index + 1);
  Targets targets = examples.targets;
  if (targets.labels) targets.labels += first;
  if (targets.values) targets.values += first * model_.shape().widths.back();
  return {index, first, end - first, targets, weight};
}

void TrainStep::forward(const StepExamples& examples, const Part& part) {
  examples.load(part.first, part.rows);
  enter(watch_, StepStage::forward);
  model_.forward(context_, part.rows, parts_seen_ + part.index + 1, update_.beside_forward());
  update_.finished();
}

double TrainStep::backward(const Part& part, bool accumulate) {
  enter(watch_, StepStage::loss);
  // Leaves the gradient by the logits, times the loss scale.
  const double loss = evaluate(part, model_.d_logits().target(), model_.d_logits_sums());
  model_.backward(context_, part.rows, accumulate, watch_);
  if (headroom_) largest_d_ = std::max(largest_d_, largest_d(part.rows));
  return loss;
}

double TrainStep::evaluate(const Part& part, const StorageTarget& d_logits, float* sums) {
  const LogitsView logits = {model_.logits(), model_.logits_ld(), model_.shape().widths.back(), part.rows};
  const LossGradient gradient = {d_logits, sums, model_.logits_ld()};
  return evaluate_loss(loss_, context_.kernels, context_.executor, logits, part.targets, scaler_.scale(), &gradient,
                       part.weight);
}

void TrainStep::read_meter(StepMeter& meter, const Part& part) {
  meter.before_update(context_, part.rows, [&](const StorageTarget& d, float* sums) { evaluate(part, d, sums); });
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

void TrainStep::clip_by_value() {
  const KernelTable& kernels = context_.kernels;
  const auto limit = static_cast<float>(clip_.value) * scaler_.scale();
  for (Dense& l : model_.layers()) {
    context_.executor.run(l.layout.strips(), [&](std::size_t strip, int) {
      for (std::size_t b = 0; b < l.layout.blocks(); ++b) {
        float* block = l.weight_grad.data() + l.layout.block_offset(strip, b);
        const std::size_t n = l.layout.block_size(strip, b);
        double& squares = l.squares[strip * l.layout.blocks() + b];
        if (!(squares < std::numeric_limits<double>::infinity())) continue;  // an infinity must stay visible
        kernels.clamp(n, limit, block);
        squares = kernels.sum_squares(n, block);
      }
    });
    auto clip_vector = [&](AlignedBuffer<float>& grad, double& squares) {
      if (!(squares < std::numeric_limits<double>::infinity())) return;
      kernels.clamp(grad.size(), limit, grad.data());
      squares = kernels.sum_squares(grad.size(), grad.data());
    };
    clip_vector(l.bias_grad, l.squares.back());
    for (NormParameter& p : l.norm_parameters) clip_vector(p.grad, p.squares);
  }
}

}  // namespace halfstep
