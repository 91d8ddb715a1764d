#include "nn/dense.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "base/rng.hpp"
#include "nn/initial_weights.hpp"

namespace halfstep::internal {

Dense::Dense(const DensePlan& plan, RowChain chain)
    : name_(plan.name),
      index_(plan.index),
      weight_(make_matrix(plan.name + ".weight", plan.layout, plan.dtype, plan.use)),
      bias_(make_vector(plan.name + ".bias", plan.layout.out, ParameterRole::bias, plan.use)),
      chain_(std::move(chain)),
      epilogue_{chain_.epilogue(false), chain_.epilogue(true)} {
  const std::size_t rows = plan.use.rows;
  const bool training = plan.use.training;
  if (plan.is_last) {
    logits_ = AlignedBuffer<float>(rows * pad_columns(width()));
  } else {
    y_ = make_activations(rows, width(), plan.output_dtype, training);
    const RowEpilogue all = chain_.joined();
    skips_ = all.skip;
    const bool passes_over_rows = !epilogue_[training ? 1 : 0];
    const bool for_derivative = training && (skips_ || derivative_needs_input(all.activation));
    if (passes_over_rows || for_derivative) z_ = AlignedBuffer<std::byte>(rows * y_.ld * size_of(y_.dtype));
  }
  if (!training) return;
  d_ = make_activations(rows, width(), plan.dtype, true);
  targets_ = {{name_ + ".d", d_.target(), bias_.sums.data()}};
}

void Dense::list_parameters(std::vector<Parameter*>& list) {
  list.push_back(&weight_);
  list.push_back(&bias_);
  if (!chain_.norm) return;
  for (Parameter& p : chain_.norm->parameters()) list.push_back(&p);
}

void Dense::list_signals(std::vector<StoredSignal>& list) const {
  using enum StoredSignal::Kind;
  if (logits_.size() > 0) {
    list.push_back({"logits", output, Dtype::fp32, logits_.data(), pad_columns(width())});
  } else {
    if (z_.size() > 0) list.push_back({name_ + ".output", output, y_.dtype, z_.data(), y_.ld, nullptr, 0, index_, 0});
    list.push_back({name_ + ".output", output, y_.dtype, y_.rows.data(), y_.ld, y_.panels.data(), y_.panel_stride});
  }
  if (d_.rows.size() == 0) return;
  list.push_back({targets_[0].name, gradient, d_.dtype, d_.rows.data(), d_.ld, d_.panels.data(), d_.panel_stride});
}

BlockMemory Dense::memory() const {
  BlockMemory m = {y_.bytes() + z_.size() + logits_.size() * sizeof(float), d_.bytes()};
  if (!chain_.norm) return m;
  const BlockMemory norm = chain_.norm->memory();
  return {m.activations + norm.activations, m.activation_gradients + norm.activation_gradients};
}

void Dense::initialise(std::uint64_t seed) {
  initialise_weight(weight_, chain_.joined().activation, Rng(seed, 0x1000 + index_));
  std::fill(bias_.master.begin(), bias_.master.end(), 0.0f);
  if (chain_.norm) chain_.norm->initialise();
}

void Dense::product(const Pass& pass, const Activations& x, const StorageTarget& z, const SideTasks& beside) {
  ForwardEpilogue e = {};
  e.bias = bias_.master.data();
  e.y = z;
  forward_product(pass.context, pass.rows, weight_.strips, x.rows_operand(), weight_.packed_forward.data(), e, beside);
}

void Dense::forward(const Pass& pass, const Activations& x, const SideTasks& beside) {
  if (logits_.size() > 0) {
    ForwardEpilogue e = {};
    e.bias = bias_.master.data();
    e.logits = logits_.data();
    e.logits_ld = pad_columns(width());
    return forward_product(pass.context, pass.rows, weight_.strips, x.rows_operand(), weight_.packed_forward.data(), e,
                           beside);
  }
  forward_to(pass, x, y_.target(), z_.size() > 0 ? z_.data() : nullptr, beside);
  if (pass.mask && chain_.norm) chain_.norm->follow(pass);
}

void Dense::forward_to(const Pass& pass, const Activations& x, const StorageTarget& y, std::byte* z,
                       const SideTasks& beside) {
  const RowsOperand skip = skips_ ? x.rows_operand() : RowsOperand{};
  if (!epilogue(pass)) {
    product(pass, x, {z_.data(), y_.ld, nullptr, 0, y_.dtype}, beside);
    return chain_.forward(pass, stored(), skip, y);
  }
  ForwardEpilogue e = {};
  e.bias = bias_.master.data();
  e.activation = epilogue(pass)->activation;
  e.y = y;
  e.z = z;
  e.z_ld = y.ld;
  e.skip = skip.data;
  e.skip_ld = skip.ld;
  e.skip_dtype = skip.dtype;
  forward_product(pass.context, pass.rows, weight_.strips, x.rows_operand(), weight_.packed_forward.data(), e, beside);
}

void Dense::replay_output(const Pass& pass, const Activations& x, const StorageTarget& y) {
  forward_to(pass, x, y, nullptr, {});
}

void Dense::replay_stored(const Pass& pass, const Activations& x, const StorageTarget& z) { product(pass, x, z, {}); }

BackwardEpilogue Dense::gradient_epilogue(const Pass& pass, const GradientTargets& targets) {
  BackwardEpilogue e = {};
  e.saved = z_.size() > 0 ? z_.data() : y_.rows.data();
  e.saved_ld = y_.ld;
  e.saved_dtype = y_.dtype;
  e.sums = targets[0].sums;
  if (const auto& fused = epilogue(pass)) {
    e.activation = fused->activation;
    e.d = targets[0].d;
    e.keep_d_y = skips_;
  } else if (const DropoutMask* const mask = chain_.relu_mask()) {
    e.saved = y_.rows.data();
    e.activation = Activation::relu;
    e.factor = mask->factor();
    e.d = targets[0].d;
  } else {
    e.d = {pass.d_y, pad_columns(width()), nullptr, 0, Dtype::fp32};
  }
  e.d_y = pass.d_y;
  e.d_y_ld = pad_columns(width());
  return e;
}

void Dense::finish_gradient(const Pass& pass, const GradientTargets& targets) {
  if (epilogue(pass) || chain_.relu_mask()) return;
  chain_.backward(pass, stored(), pass.d_y, skips_ ? pass.d_z : pass.d_y, targets[0].d, targets[0].sums);
}

InputGradientProduct Dense::input_product(const Pass& pass, Block& below, const GradientTargets& targets) const {
  BackwardEpilogue e = below.gradient_epilogue(pass, targets);
  e.add_d_y = skips_;
  if (!e.add_d_y && !e.keep_d_y) e.d_y = nullptr;
  return {pass.context, pad_rows(pass.rows), weight_.strips, d_.rows_operand(), weight_.packed_backward.data(), e};
}

void Dense::input_gradient(const Pass& pass, Block& below, const GradientTargets& targets) {
  InputGradientProduct input = input_product(pass, below, targets);
  run(pass.context, input);
  below.finish_gradient(pass, targets);
}

void Dense::vector_gradients(const Pass& pass, bool accumulate) {
  sum_vector_gradient(pass.kernels(), bias_, pass.rows, accumulate);
  if (!chain_.norm) return;
  for (Parameter& p : chain_.norm->parameters()) {
    if (p.is_trained()) sum_vector_gradient(pass.kernels(), p, pass.rows, accumulate);
  }
}

void Dense::backward(const Pass& pass, const Activations& x, Block* below, bool accumulate, StageWatch* watch) {
  enter(watch, StepStage::bias_gradient);
  vector_gradients(pass, accumulate);
  WeightGradientProduct weight(pass.context, pad_rows(pass.rows), weight_.strips, d_.panels_operand(),
                               x.panels_operand(), {weight_.gradient.data(), accumulate, weight_.squares.data()});
  if (watch != nullptr || below == nullptr) {
    enter(watch, StepStage::weight_gradient);
    run(pass.context, weight);
    if (below == nullptr) return;  // nobody needs the gradient by the inputs
    enter(watch, StepStage::input_gradient);
    return input_gradient(pass, *below, below->gradient_targets());
  }
  // Neither gradient needs the other: together they wait once for their last task. A watch sees them one by one.
  const GradientTargets& targets = below->gradient_targets();
  InputGradientProduct input = input_product(pass, *below, targets);
  run_together(pass.context, input, weight);
  below->finish_gradient(pass, targets);
}

}  // namespace halfstep::internal
