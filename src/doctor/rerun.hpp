// Runs the step of a capsule again, in any precision: by the code that ran it first, on a network of its own.
#pragma once
#include <memory>

#include "doctor/capsule.hpp"
#include "train/row_loader.hpp"
#include "train/step.hpp"

namespace halfstep::internal {

class Rerun {
 public:
  // `kernels`, `executor` and `capsule` must outlive it. Throws Error(format) where the tensors do not fit the model.
  Rerun(const Capsule& capsule, const ModelSpec& model, const KernelTable& kernels, Executor& executor);

  // At this loss scale. No weight changes. Where the step is not finite, the network then holds the part where that
  // began. A meter reads what the step rounds.
  StepReport run(float loss_scale, StepMeter* meter = nullptr);
  StepReport run() { return run(capsule_.loss_scale); }

  // Makes the network hold that part of the step, at the loss scale of the capsule.
  void hold(std::size_t part);

  const Capsule& capsule() const { return capsule_; }
  Network& network() { return model_; }
  const Network& network() const { return model_; }
  GemmContext& context() { return context_; }
  const Loss& loss() const { return *loss_; }
  // Rows of a part, and their targets.
  struct Part {
    std::size_t index, first, rows;
    Targets targets;
  };
  Part part(std::size_t index) const;
  const Part& held() const { return held_; }  // which the network holds after a run
  double weight() const {                     // of all rows in the mean
    return capsule_.weight > 0 ? capsule_.weight : total_weight(*loss_, capsule_.targets(), capsule_.rows);
  }
  // Root of the mean square of each weight of a layer that nobody has trained yet, as `network().parameters()` are.
  const std::vector<double>& fresh() const { return fresh_; }

 private:
  void load(std::size_t first, std::size_t rows, Activations& input);

  const Capsule& capsule_;
  Network model_;
  GemmContext context_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Optimizer> optimizer_;
  RowLoader loader_;
  std::vector<double> fresh_;
  Part held_ = {};
  std::function<void(std::size_t, std::size_t, Activations&)> load_;
  StepExamples examples_;
};

double root_mean_square(std::span<const float> values);

}  // namespace halfstep::internal
