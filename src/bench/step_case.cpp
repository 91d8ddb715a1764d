#include "bench/step_case.hpp"

#include <algorithm>
#include <numeric>

#include "base/rng.hpp"
#include "bench/timing.hpp"
#include "run/scaling.hpp"
#include "train/rows_together.hpp"

namespace halfstep::internal {
namespace {

// Small, so that thousands of steps on one batch leave the numbers as ordinary as they were.
constexpr double kLearningRate = 1e-5;

// Loads nothing.
constexpr auto kStays = [](std::size_t, std::size_t, Activations&) {};

GradScalerOptions scaler_of(const StepBenchRequest& r, Dtype precision) {
  Options options;
  options.precision = precision;
  options.batch = static_cast<std::int64_t>(r.batch);
  return scaler_options(options);
}

}  // namespace

NetworkShape step_shape(const StepBenchRequest& r, Dtype precision) {
  NetworkShape shape;
  shape.widths = r.widths;
  shape.activation = r.activation;
  shape.dtype = precision;
  shape.master = r.optimizer.master == MasterKind::fp32;
  int threads = 1;
  for (const int each : r.threads) threads = std::max(threads, each);
  shape.max_rows = rows_together(shape, r.batch, threads);
  return shape;
}

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
    : model(step_shape(request, precision)),
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
  const std::span<const std::uint32_t> order = order_;
  const StepExamples all = examples();
  for (std::size_t i = 0; i < all.parts(); ++i) {
    const std::size_t first = all.begin_of(i);
    batcher_.load(context_, order.subspan(first, all.begin_of(i + 1) - first), network_.model.input());
  }
}

StepExamples StepCase::examples() const {
  const NetworkShape& shape = network_.model.shape();  // for the most threads of all cases
  return {order_.size(), targets_, std::min(rows_together(shape, order_.size(), threads()), shape.max_rows), kStays};
}

void StepCase::run() {
  // Each part learns from the rows that the last one has left in the network: loading is timed apart.
  if (!step_.run(examples(), kLearningRate).applied) ++skipped_;
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
