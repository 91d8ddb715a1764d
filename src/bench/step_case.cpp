#include "bench/step_case.hpp"

#include <numeric>

#include "base/rng.hpp"
#include "bench/timing.hpp"
#include "run/scaling.hpp"

namespace halfstep::internal {
namespace {

// Small, so that thousands of steps on one batch leave the numbers as ordinary as they were.
constexpr double kLearningRate = 1e-5;

NetworkShape shape_of(const StepBenchRequest& r, Dtype precision) {
  NetworkShape shape;
  shape.widths = r.widths;
  shape.activation = r.activation;
  shape.dtype = precision;
  shape.max_rows = r.batch;
  shape.master = r.optimizer.master == MasterKind::fp32;
  return shape;
}

GradScalerOptions scaler_of(const StepBenchRequest& r, Dtype precision) {
  Options options;
  options.precision = precision;
  options.batch = static_cast<std::int64_t>(r.batch);
  return scaler_options(options);
}

}  // namespace

data::Examples random_batch(std::size_t rows, std::size_t features, std::size_t outputs) {
  constexpr std::size_t kPeriod = 4099;  // drawing every element would take longer than the benchmark
  const Rng rng(1, 1);
  data::Examples examples;
  examples.rows = rows;
  examples.features = features;
  examples.x.resize(rows * features);
  for (std::size_t i = 0; i < examples.x.size(); ++i) {
    examples.x[i] = i < kPeriod ? rng.uniform(i) * 2 - 1 : examples.x[i - kPeriod];
  }
  for (std::size_t i = 0; i < rows; ++i) {
    if (outputs == 1) {
      examples.targets.push_back(rng.uniform(i) * 2 - 1);
    } else {
      examples.labels.push_back(static_cast<std::int32_t>(rng.below(i, static_cast<std::uint32_t>(outputs))));
    }
  }
  return examples;
}

StepNetwork::StepNetwork(const StepBenchRequest& request, Dtype precision, const KernelTable& kernels)
    : model(shape_of(request, precision)),
      loss(make_loss(request.widths.back() == 1 ? LossKind::mse : LossKind::cross_entropy, 1)),
      optimizer(make_optimizer(request.optimizer, TrainStep::tensor_sizes(model))),
      scaler(scaler_of(request, precision)) {
  model.initialise(0, kernels);
}

StepCase::StepCase(StepNetwork& network, const data::Examples& examples, const StepBenchRequest& request,
                   const KernelTable& kernels, int threads)
    : executor_(make_executor(threads)),
      context_(kernels, *executor_),
      network_(network),
      step_(context_, network.model, *network.loss, *network.optimizer, network.scaler, network.clock,
            {.norm = request.clip_norm}),
      batcher_(examples, examples.rows, executor_->threads()),
      order_(examples.rows) {
  step_.leave_updates();
  std::iota(order_.begin(), order_.end(), 0U);
  load();
}

void StepCase::load() {
  targets_ = batcher_.targets(order_);
  batcher_.load(context_, order_, network_.model.input());
}

void StepCase::run() {
  if (!step_.run(order_.size(), targets_, kLearningRate).applied) ++skipped_;
}

StepCase::Stages StepCase::run_clocked(double seconds) {
  Stages mean;
  double count = 0;
  step_.finish_update();  // or the first step would do it, on the clock of its forward pass
  clock_.reset();
  step_.observe(&clock_);
  const double start = seconds_now();
  do {
    const double before = seconds_now();
    load();
    mean.input += seconds_now() - before;
    run();
    clock_.stop();
    ++count;
  } while (seconds_now() - start < seconds);
  step_.observe(nullptr);
  mean.input /= count;
  for (std::size_t i = 0; i < kStepStages; ++i) mean.step[i] = clock_.seconds()[i] / count;
  return mean;
}

}  // namespace halfstep::internal
