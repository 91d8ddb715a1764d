// One training step: the whole of mixed-precision training on one screen (step.cpp).
#pragma once
#include <cstdint>
#include <string>

#include "amp/grad_scaler.hpp"
#include "amp/gradient_pass.hpp"
#include "gemm/gemm.hpp"
#include "loss/loss.hpp"
#include "nn/mlp.hpp"
#include "optim/optimizer.hpp"

namespace halfstep {

struct StepReport {
  double loss = 0;
  bool applied = false;
  double grad_norm = 0;
  float loss_scale = 1;   // the one this step used
  std::string first_bad;  // name of the first tensor with a non-finite gradient, when skipped
};

class TrainStep {
 public:
  TrainStep(GemmContext& context, Mlp& model, const Loss& loss, Optimizer& optimizer, GradScaler& scaler,
            ClipOptions clip);

  // The inputs are already in model.input(); `rows` valid examples.
  StepReport run(std::size_t rows, const Targets& targets, double lr);

  // Tensors in the order the optimizer knows them: weight and bias of each layer. Biases are always fp32.
  static std::vector<OptimizerTensor> tensor_sizes(Mlp& model);

 private:
  double evaluate(std::size_t rows, const Targets& targets);
  GradientSummary summarise();
  void clip_by_value();
  void update_weights();

  GemmContext& context_;
  Mlp& model_;
  const Loss& loss_;
  Optimizer& optimizer_;
  GradScaler& scaler_;
  ClipOptions clip_;
};

}  // namespace halfstep
