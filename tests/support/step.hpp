// A training step of a small network, for tests of whole steps.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "support/model.hpp"
#include "train/step.hpp"

namespace halfstep::test {

using namespace internal;

struct Setting {
  Dtype dtype = Dtype::bf16;
  GradScalerOptions scaler = {.dynamic = false, .initial = 1024};
  OptimizerOptions optimizer = {};
  ClipOptions clip = {};
  std::optional<Headroom> headroom = {};
  LossKind loss = LossKind::cross_entropy;
  std::vector<std::size_t> widths = {30, 64, 32, 4};
  Norm norm = Norm::none;
  double dropout = 0;
  bool residual = false;
  Activation activation = Activation::gelu;
  std::string layer = "dense";
  std::size_t max_rows = 500;
};

// Everything a step needs, alive together.
struct Bench {
  Setting setting;
  std::unique_ptr<Executor> executor;
  GemmContext context;
  Network model;
  std::unique_ptr<Loss> loss;
  std::unique_ptr<Optimizer> optimizer;
  GradScaler scaler;
  Clock clock;
  TrainStep step;

  Bench(const KernelTable& kernels, const Setting& s, std::unique_ptr<Executor> threads = make_executor(1, "serial"))
      : setting(s),
        executor(std::move(threads)),
        context(kernels, *executor),
        model({.widths = s.widths,
               .layer = s.layer,
               .activation = s.activation,
               .norm = s.norm,
               .dropout = s.dropout,
               .residual = s.residual,
               .dtype = s.dtype,
               .max_rows = s.max_rows,
               .master = s.optimizer.master == MasterKind::fp32}),
        loss(make_loss(s.loss, 1.0)),
        optimizer(make_optimizer(s.optimizer, TrainStep::tensor_sizes(model))),
        scaler(s.scaler),
        step(context, model, *loss, *optimizer, scaler, clock, s.clip, s.headroom) {
    model.initialise(1, kernels);
  }
  StepReport run(const Examples& e, double lr = 0.01) {
    set_input(model, e);
    return step.run(e.rows, e.targets(), lr);
  }
  // Masters and both packed forms.
  std::vector<std::uint32_t> state() {
    std::vector<std::uint32_t> words = master_bits(model);
    for (const Parameter* p : model.parameters()) {
      for (const auto* packed : {&p->packed_forward, &p->packed_backward}) {
        for (std::byte b : *packed) words.push_back(static_cast<std::uint32_t>(b));
      }
    }
    return words;
  }
};

}  // namespace halfstep::test
