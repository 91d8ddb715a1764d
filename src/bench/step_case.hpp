// A network that trains, and those who take turns at it: what the step benchmark times.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "bench/step_clock.hpp"
#include "data/examples.hpp"
#include "halfstep/bench.hpp"
#include "train/batcher.hpp"
#include "train/step.hpp"

namespace halfstep::internal {

// Throws Error(invalid_argument) where train would refuse it, or it is too large.
void check_step_request(const StepBenchRequest& request);
// Those of its ISAs.
std::vector<const KernelTable*> tables_of(const StepBenchRequest& request);

// One batch of random numbers, with random labels, or random numbers as targets of a single output.
data::Examples random_batch(std::size_t rows, std::size_t features, std::size_t outputs);

// The network that a request is about.
NetworkShape step_shape(const StepBenchRequest& request, Dtype precision);

// Everything of one precision that does not depend on ISA or threads: packed weights lie alike on every ISA.
struct StepNetwork {
  StepNetwork(const StepBenchRequest& request, Dtype precision, const KernelTable& kernels);

  Network model;
  std::unique_ptr<Loss> loss;
  std::unique_ptr<Optimizer> optimizer;
  GradScaler scaler;
  Clock clock;
};

// One ISA at one number of threads.
class StepCase {
 public:
  // `examples` is one batch.
  StepCase(StepNetwork& network, const data::Examples& examples, const StepBenchRequest& request,
           const KernelTable& kernels, int threads);

  void load();  // the batch into the network, part by part
  void run();   // one step
  const KernelTable& kernels() const { return context_.kernels; }
  int threads() const { return executor_->threads(); }
  Dtype precision() const { return network_.model.shape().dtype; }
  std::int64_t skipped() const { return skipped_; }  // of all that ran

  // Loads and steps for about `seconds`, at least once, with a clock between the stages: mean seconds.
  struct Stages {
    double input = 0;
    std::array<double, kStepStages> step = {};
  };
  Stages run_clocked(double seconds);

 private:
  StepExamples examples() const;

  std::unique_ptr<Executor> executor_;
  GemmContext context_;
  StepNetwork& network_;
  TrainStep step_;
  Batcher batcher_;
  Targets targets_;
  std::vector<std::uint32_t> order_;
  StageClock clock_;
  std::int64_t skipped_ = 0;
};

}  // namespace halfstep::internal
