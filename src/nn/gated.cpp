// A gated pair (Dauphin et al., 2017, "Language modeling with gated convolutional networks"; Shazeer, 2020, "GLU
// variants improve transformer"): two products of one input, y = (x W^T + b) * activation(x G^T + g), then dropout and
// skip as in a dense layer. The gate's weights are "layers.0.gate.weight".
#include <algorithm>

#include "base/dtype.hpp"
#include "nn/blocks.hpp"
#include "nn/initial_weights.hpp"

namespace halfstep::internal {
namespace {

// One of the two products: its weights, what it leaves, and the gradient by that.
struct Half {
  Half(const std::string& name, const DensePlan& plan, std::size_t ld)
      : weight(make_matrix(name + ".weight", plan.layout, plan.dtype, plan.use)),
        bias(make_vector(name + ".bias", plan.layout.out, ParameterRole::bias, plan.use)),
        z(plan.use.rows * ld * size_of(plan.output_dtype)) {
    if (plan.use.training) d = make_activations(plan.use.rows, plan.layout.out, plan.dtype, true);
  }

  void forward(const Pass& pass, const Activations& x, const StorageTarget& to, const SideTasks& beside) {
    ForwardEpilogue e = {};
    e.bias = bias.master.data();
    e.y = to;
    forward_product(pass.context, pass.rows, weight.strips, x.rows_operand(), weight.packed_forward.data(), e, beside);
  }
  void parameter_gradients(const Pass& pass, const Activations& x, bool accumulate) {
    sum_vector_gradient(pass.kernels(), bias, pass.rows, accumulate);
    weight_gradient_product(pass.context, pad_rows(pass.rows), weight.strips, d.panels_operand(), x.panels_operand(),
                            weight.gradient.data(), accumulate, weight.squares.data());
  }
  void input_gradient(const Pass& pass, const BackwardEpilogue& epilogue) const {
    input_gradient_product(pass.context, pad_rows(pass.rows), weight.strips, d.rows_operand(),
                           weight.packed_backward.data(), epilogue);
  }

  Parameter weight, bias;
  AlignedBuffer<std::byte> z;  // pre-activations, in y's type and stride
  Activations d;
};

class Gated final : public Block {
 public:
  Gated(const DensePlan& plan, Activation activation, RowChain rest)
      : name_(plan.name),
        index_(plan.index),
        activation_(activation),
        y_(make_activations(plan.use.rows, plan.layout.out, plan.output_dtype, plan.use.training)),
        value_(plan.name, plan, y_.ld),
        gate_(plan.name + ".gate", plan, y_.ld),
        rest_(std::move(rest)),
        skips_(rest_.joined().skip) {
    if (!plan.use.training) return;
    targets_ = {{name_ + ".d", value_.d.target(), value_.bias.sums.data()},
                {name_ + ".gate.d", gate_.d.target(), gate_.bias.sums.data()}};
  }

  std::string describe() const override {
    const std::string rest = rest_.describe();
    return "gated " + std::string(name(activation_)) + (rest.empty() ? "" : ", " + rest);
  }
  void list_parameters(std::vector<Parameter*>& list) override {
    for (Half* half : {&value_, &gate_}) list.insert(list.end(), {&half->weight, &half->bias});
  }
  void list_signals(std::vector<StoredSignal>& list) const override {
    using enum StoredSignal::Kind;
    list.push_back({name_ + ".output", output, y_.dtype, value_.z.data(), y_.ld, nullptr, 0, index_, 0});
    list.push_back({name_ + ".output", output, y_.dtype, gate_.z.data(), y_.ld, nullptr, 0, index_, 1});
    list.push_back({name_ + ".output", output, y_.dtype, y_.rows.data(), y_.ld, y_.panels.data(), y_.panel_stride});
    for (const GradientTarget& t : targets_) {
      list.push_back({t.name, gradient, t.d.dtype, t.d.rows, t.d.ld, t.d.panels, t.d.panel_stride});
    }
  }
  BlockMemory memory() const override {
    return {y_.bytes() + value_.z.size() + gate_.z.size(), value_.d.bytes() + gate_.d.bytes()};
  }
  void initialise(std::uint64_t seed) override {
    initialise_weight(value_.weight, Activation::identity, Rng(seed, 0x1000 + index_));
    initialise_weight(gate_.weight, activation_, Rng(seed, 0x1400 + index_));
    for (Half* half : {&value_, &gate_}) std::fill(half->bias.master.begin(), half->bias.master.end(), 0.0f);
  }
  std::size_t width() const override { return value_.weight.strips.out; }
  bool wants_d_y() const override { return !targets_.empty(); }
  const Activations& output() const override { return y_; }

  void forward(const Pass& pass, const Activations& x, const SideTasks& beside) override {
    value_.forward(pass, x, rows_of(value_), beside);
    gate_.forward(pass, x, rows_of(gate_), {});
    multiply(pass, x, y_.target());
  }
  void replay_output(const Pass& pass, const Activations& x, const StorageTarget& y) override { multiply(pass, x, y); }
  void replay_stored(const Pass&, const Activations&, const StorageTarget&) override {}

  const GradientTargets& gradient_targets() override { return targets_; }
  BackwardEpilogue gradient_epilogue(const Pass& pass, const GradientTargets& targets) override {
    BackwardEpilogue e = {};
    e.activation = Activation::identity;
    e.saved = value_.z.data();
    e.saved_ld = y_.ld;
    e.saved_dtype = y_.dtype;
    e.sums = targets[0].sums;  // overwritten by finish_gradient
    e.d = {pass.d_y, pad_columns(width()), nullptr, 0, Dtype::fp32};
    e.d_y = pass.d_y;
    e.d_y_ld = pad_columns(width());
    return e;
  }

  // From d_y the gradients by both pre-activations. d_y stays: what is skipped adds it below.
  void finish_gradient(const Pass& pass, const GradientTargets& targets) override {
    const std::size_t rows = pad_rows(pass.rows), padded = pad_columns(width());
    auto body = [&](std::size_t chunk, int) {
      for (const GradientTarget& t : targets) std::fill_n(t.sums + chunk * padded, padded, 0.0f);
      for (std::size_t row = chunk * kSumRows; row < std::min(rows, (chunk + 1) * kSumRows); row += 2) {
        for (std::size_t first = 0; first < width(); first += kRowPart) part_gradient(pass, targets, row, first);
      }
    };
    pass.context.executor.run(sum_chunks(rows), body, rows * width() < kWorthAThread ? 1 : 0);
  }

  void backward(const Pass& pass, const Activations& x, Block* below, bool accumulate, StageWatch* watch) override {
    enter(watch, StepStage::weight_gradient);
    value_.parameter_gradients(pass, x, accumulate);
    gate_.parameter_gradients(pass, x, accumulate);
    if (below == nullptr) return;
    enter(watch, StepStage::input_gradient);
    input_gradient(pass, *below, below->gradient_targets());
  }

  // d_y carries the part of the values to the product of the gate.
  void input_gradient(const Pass& pass, Block& below, const GradientTargets& targets) override {
    BackwardEpilogue part = below.gradient_epilogue(pass, targets);
    part.activation = Activation::identity;
    part.factor = 1;
    part.d = {pass.d_y, part.d_y_ld, nullptr, 0, Dtype::fp32};
    part.d_y = skips_ ? pass.d_y : nullptr;
    part.add_d_y = skips_;
    part.keep_d_y = false;
    value_.input_gradient(pass, part);
    BackwardEpilogue whole = below.gradient_epilogue(pass, targets);
    whole.add_d_y = true;
    gate_.input_gradient(pass, whole);
    below.finish_gradient(pass, targets);
  }

 private:
  StorageTarget rows_of(Half& half) const { return {half.z.data(), y_.ld, nullptr, 0, y_.dtype}; }
  StoredRows stored(const Half& half) const { return {half.z.data(), y_.ld, y_.dtype, width()}; }

  RowPart part_of(const Pass& pass, const StoredRows& z, const RowsOperand& skip, std::size_t row,
                  std::size_t first) const {
    return {pass, rest_, z, skip, row, first, std::min(kRowPart, width() - first)};
  }
  void load(const Pass& pass, const Half& half, const RowPart& part, float* x) const {
    pass.kernels().to_fp32[index_of(y_.dtype)](part.padded(), stored(half).at(part.row, part.first), x);
  }

  void multiply(const Pass& pass, const Activations& x, const StorageTarget& y) const {
    const std::size_t rows = pad_rows(pass.rows);
    const RowsOperand skip = skips_ ? x.rows_operand() : RowsOperand{};
    auto body = [&](std::size_t pair, int) {
      for (std::size_t first = 0; first < width(); first += kRowPart) {
        alignas(kCacheLine) float out[2][kRowPart];
        for (std::size_t r = 0; r < 2; ++r) multiply_part(pass, skip, 2 * pair + r, first, out[r]);
        const std::size_t columns = pad_columns(std::min(kRowPart, width() - first));
        pass.kernels().store_rows[index_of(y.dtype)](columns, out[0], out[1], shifted(y, 2 * pair, first));
      }
    };
    pass.context.executor.run(rows / 2, body, rows * width() < kWorthAThread ? 1 : 0);
  }
  void multiply_part(const Pass& pass, const RowsOperand& skip, std::size_t row, std::size_t first, float* out) const {
    const StoredRows z = stored(value_);
    const RowPart part = part_of(pass, z, skip, row, first);
    alignas(kCacheLine) float gate[kRowPart];
    load(pass, value_, part, out);
    load(pass, gate_, part, gate);
    pass.kernels().activate[index_of(y_.dtype)](activation_, part.padded(), gate, gate);
    for (std::size_t i = 0; i < part.padded(); ++i) out[i] *= gate[i];
    for (const auto& block : rest_.blocks) block->forward(part, out);
    std::fill(out + part.columns, out + part.padded(), 0.0f);
  }

  // Of two rows: d_value = d * activation(g), d_gate = d * value * activation'(g), and their sums.
  void part_gradient(const Pass& pass, const GradientTargets& targets, std::size_t row, std::size_t first) const {
    const KernelTable& kernels = pass.kernels();
    const std::size_t ld = pad_columns(width());
    alignas(kCacheLine) float d[2][2][kRowPart];  // [value or gate][row]
    std::size_t columns = 0;
    for (std::size_t r = 0; r < 2; ++r) {
      const StoredRows z = stored(value_);
      const RowPart part = part_of(pass, z, {}, row + r, first);
      columns = part.padded();
      alignas(kCacheLine) float value[kRowPart], gate[kRowPart], active[kRowPart];
      float *const d_value = d[0][r], *const d_gate = d[1][r];
      std::copy_n(pass.d_y + part.row * ld + first, columns, d_value);
      for (std::size_t i = rest_.blocks.size(); i-- > 0;) rest_.blocks[i]->backward(part, i, Dtype::fp32, d_value);
      load(pass, value_, part, value);
      load(pass, gate_, part, gate);
      kernels.activate[index_of(y_.dtype)](activation_, columns, gate, active);
      for (std::size_t i = 0; i < columns; ++i) value[i] *= d_value[i];
      const float* const saved = derivative_needs_input(activation_) ? gate : active;
      kernels.differentiate[index_of(targets[1].d.dtype)](activation_, columns, saved, value, d_gate);
      for (std::size_t i = 0; i < columns; ++i) d_value[i] *= active[i];
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const GradientTarget& t = targets[half];
      for (std::size_t r = 0; r < 2; ++r) kernels.add(columns, d[half][r], t.sums + row / kSumRows * ld + first);
      kernels.store_rows[index_of(t.d.dtype)](columns, d[half][0], d[half][1], shifted(t.d, row, first));
    }
  }

  std::string name_;
  std::size_t index_;
  Activation activation_;
  Activations y_;
  Half value_, gate_;
  RowChain rest_;  // dropout and skip
  bool skips_;
  GradientTargets targets_;
};

}  // namespace

std::unique_ptr<Block> make_gated(const NetworkShape& shape, std::size_t layer) {
  const DensePlan plan = plan_of(shape, layer);
  RowChain rest = make_rows(shape, plan);
  rest.blocks.erase(rest.blocks.begin());  // the activation is the gate's
  return std::make_unique<Gated>(plan, shape.activation, std::move(rest));
}

}  // namespace halfstep::internal
