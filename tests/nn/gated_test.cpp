// Gated layers against a plain calculation in double, whose gradients are central differences.
#include <doctest/doctest.h>

#include <cmath>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"
#include "train/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// Weights and biases by name, in double.
struct Plain {
  std::vector<std::size_t> widths;
  bool residual;
  std::vector<NamedTensor> names;
  std::vector<std::vector<double>> values;

  explicit Plain(const Network& model) : widths(model.shape().widths), residual(model.shape().residual) {
    for (NamedTensor& t : model.tensors()) {
      values.emplace_back(t.values.begin(), t.values.end());
      names.push_back(std::move(t));
    }
  }
  const std::vector<double>& of(const std::string& name) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].name == name) return values[i];
    }
    FAIL("no tensor " << name);
    std::abort();
  }
  std::vector<double> affine(const std::string& name, std::size_t out, const std::vector<double>& x) const {
    std::vector<double> y = of(name + ".bias");
    const std::vector<double>& weight = of(name + ".weight");
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
    }
    return y;
  }
  std::vector<double> logits(std::vector<double> x) const {
    for (std::size_t l = 0; l + 2 < widths.size(); ++l) {
      const std::string name = "layers." + std::to_string(l);
      std::vector<double> y = affine(name, widths[l + 1], x);
      const std::vector<double> gate = affine(name + ".gate", widths[l + 1], x);
      for (std::size_t o = 0; o < y.size(); ++o) {
        y[o] *= gate[o] / (1 + std::exp(-gate[o]));  // silu
        if (residual && x.size() == y.size()) y[o] += x[o];
      }
      x = y;
    }
    return affine("layers." + std::to_string(widths.size() - 2), widths.back(), x);
  }
  double loss(const Examples& e) const {
    double sum = 0;
    for (std::size_t r = 0; r < e.rows; ++r) {
      const auto z = logits({e.x.begin() + static_cast<std::ptrdiff_t>(r * e.inputs),
                             e.x.begin() + static_cast<std::ptrdiff_t>((r + 1) * e.inputs)});
      double total = 0;
      for (const double v : z) total += std::exp(v);
      sum += std::log(total) - z[static_cast<std::size_t>(e.labels[r])];
    }
    return sum / static_cast<double>(e.rows);
  }
};

double run(GemmContext& ctx, Network& model, const Examples& e) {
  const FpEnvGuard guard;
  set_input(model, e);
  model.forward(ctx, e.rows, 1);
  const LogitsView logits = {model.logits(), model.logits_ld(), e.outputs, e.rows};
  const LossGradient gradient = {model.logits_gradient().d, model.logits_gradient().sums, model.logits_ld()};
  const double loss = evaluate_loss(*make_loss(LossKind::cross_entropy, 1.0), ctx.kernels, ctx.executor, logits,
                                    e.targets(), 1, &gradient);
  model.backward(ctx, e.rows, false);
  return loss;
}

NetworkShape shape_of(bool residual, Dtype dtype, std::vector<std::size_t> widths) {
  return {.widths = std::move(widths),
          .layer = "gated",
          .activation = Activation::silu,
          .residual = residual,
          .dtype = dtype,
          .max_rows = 60};
}

TEST_CASE("gated: loss and gradients against double, at odd rows and widths, with and without skip") {
  const auto executor = make_executor(2, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (const bool residual : {false, true}) {
      for (const std::size_t rows : {1u, 7u, 50u}) {
        GemmContext ctx(kernels, *executor);
        Network model(shape_of(residual, Dtype::fp32, {5, 7, 7, 5, 3}));
        model.initialise(3, kernels);
        for (Parameter* p : model.trained()) {
          for (std::size_t i = 0; !p->is_matrix() && i < p->elements(); ++i)
            p->master[i] = 0.1f * static_cast<float>(i);
        }
        const Examples e(rows, 5, 3);
        Plain plain(model);
        const double loss = run(ctx, model, e);
        if (!(std::fabs(loss - plain.loss(e)) < 1e-5)) wrong.add(kernels.name, " loss ", loss, " not ", plain.loss(e));
        for (std::size_t t = 0; t < plain.values.size(); ++t) {
          const Parameter& p = parameter(model, plain.names[t].name);
          for (std::size_t i = 0; i < plain.values[t].size(); ++i) {
            const double middle = plain.values[t][i], step = 1e-5;
            plain.values[t][i] = middle + step;
            const double above = plain.loss(e);
            plain.values[t][i] = middle - step;
            const double slope = (above - plain.loss(e)) / (2 * step);
            plain.values[t][i] = middle;
            const std::size_t at = p.is_matrix() ? p.strips.offset(i / p.strips.in, i % p.strips.in) : i;
            if (!(std::fabs(p.gradient[at] - slope) < 1e-5)) {
              wrong.add(kernels.name, " ", p.name, " at ", i, ": ", p.gradient[at], " not ", slope);
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("gated: wide layers in 16 bits are near those in fp32, and the same bits at any number of threads") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const Examples e(49, 40, 4);
    std::vector<float> expected;
    for (const Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) {
      std::vector<float> first;
      for (const int threads : {1, 3}) {
        const auto executor = make_executor(threads, "threads");
        GemmContext ctx(kernels, *executor);
        Network model(shape_of(true, dtype, {40, 300, 300, 4}));
        model.initialise(3, kernels);
        run(ctx, model, e);
        std::vector<float> gradients;
        for (const Parameter* p : model.trained()) {
          gradients.insert(gradients.end(), p->gradient.begin(), p->gradient.end());
        }
        if (first.empty()) first = gradients;
        CHECK(first == gradients);
      }
      if (expected.empty()) expected = first;
      double error = 0, size = 0;
      for (std::size_t i = 0; i < first.size(); ++i) {
        error += std::pow(static_cast<double>(first[i]) - static_cast<double>(expected[i]), 2);
        size += std::pow(static_cast<double>(expected[i]), 2);
      }
      CHECK(std::sqrt(error / size) <= (dtype == Dtype::bf16 ? 4e-2 : dtype == Dtype::fp16 ? 5e-3 : 0.0));
    }
  });
}

TEST_CASE("gated: dropout takes away the same outputs on the way back") {
  const auto executor = make_executor(1, "serial");
  const KernelTable& kernels = select_isa();
  GemmContext ctx(kernels, *executor);
  NetworkShape shape = shape_of(false, Dtype::fp32, {5, 40, 3});
  shape.dropout = 0.5;
  Network model(shape);
  model.initialise(3, kernels);
  const Examples e(1, 5, 3);
  run(ctx, model, e);
  const StoredSignal& y = signal(model, "layers.0.output");
  std::size_t dropped = 0;
  for (const char* name : {"layers.0.weight", "layers.0.gate.weight"}) {
    const Parameter& p = parameter(model, name);
    for (std::size_t o = 0; o < 40; ++o) {
      const bool kept = get(Dtype::fp32, y.data, o) != 0;
      dropped += !kept;
      CHECK((p.gradient[p.strips.offset(o, 0)] != 0) == kept);
    }
  }
  CHECK(dropped > 20);
  CHECK(dropped < 60);
}

TEST_CASE("gated: the meters tell of both gradients, and a step stays what it was") {
  const auto executor = make_executor(2, "threads");
  const KernelTable& kernels = select_isa();
  std::vector<std::uint32_t> bits[2];
  for (const bool metered : {false, true}) {
    GemmContext context(kernels, *executor);
    Network model(shape_of(true, Dtype::bf16, {30, 40, 40, 4}));
    model.initialise(1, kernels);
    const auto loss = make_loss(LossKind::cross_entropy, 1.0);
    const auto optimizer = make_optimizer({}, TrainStep::tensor_sizes(model));
    GradScaler scaler({.dynamic = false, .initial = 4});
    Clock clock;
    TrainStep step(context, model, *loss, *optimizer, scaler, clock, {});
    StepMeter meter(model);
    const Examples e(37, 30, 4);
    set_input(model, e);
    CHECK(step.run(37, e.targets(), 1e-3, metered ? &meter : nullptr).applied);
    bits[metered] = master_bits(model);
    if (!metered) continue;
    std::vector<std::string> names;
    for (const TensorMeter& m : meter.report().tensors) names.push_back(m.tensor);
    CHECK(names == std::vector<std::string>{"layers.0.output", "gradient of layers.0.gate.weight", "layers.0.gate.d",
                                            "gradient of layers.0.weight", "layers.0.d", "layers.1.output",
                                            "gradient of layers.1.gate.weight", "layers.1.gate.d",
                                            "gradient of layers.1.weight", "layers.1.d", "gradient of layers.2.weight",
                                            "layers.2.d"});
    for (const TensorMeter& m : meter.report().tensors) {
      if (!m.tensor.starts_with("layers")) continue;
      const StoredSignal& s = signal(model, m.tensor);
      const std::size_t columns = m.tensor.starts_with("layers.2") ? 4 : 40;
      std::int64_t zeros = 0;
      for (std::size_t i = 0; i < 37 * columns; ++i) {
        zeros += get(s.dtype, s.data, i / columns * s.ld + i % columns) == 0;
      }
      CHECK(m.exponents[0] + m.flushed == zeros);
    }
    CHECK(meter.report().updates.size() == 5);
  }
  CHECK(bits[0] == bits[1]);
}

}  // namespace
