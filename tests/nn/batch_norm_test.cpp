// BatchNorm as a layer of a network: what its running statistics are, and what goes by them.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"

using namespace halfstep;
using namespace halfstep::test;

namespace {

MlpShape shape_of(Dtype dtype) {
  return {
      .widths = {12, 70, 33, 3}, .activation = Activation::gelu, .norm = Norm::batch, .dtype = dtype, .max_rows = 120};
}

// Everything but what a step would leave: gamma and beta that are not 1 and 0.
void start(Mlp& model, const KernelTable& kernels) {
  model.initialise(11, kernels);
  for (Dense& l : model.layers()) {
    for (NormParameter& p : l.norm_parameters) {
      const AlignedBuffer<float> noise = random_floats(l.layout.out, 90, 0.3f);
      for (std::size_t o = 0; o < l.layout.out; ++o) p.values[o] += noise[o];
    }
  }
}

ReferenceMlp reference_of(const Mlp& model) {
  ReferenceMlp reference;
  reference.widths = model.shape().widths;
  reference.activation = model.shape().activation;
  reference.norm = Norm::batch;
  for (const NamedTensor& t : model.tensors()) {
    auto& list = t.name.ends_with(".weight")         ? reference.weights
                 : t.name.ends_with(".bias")         ? reference.biases
                 : t.name.ends_with(".gamma")        ? reference.gammas
                 : t.name.ends_with(".beta")         ? reference.betas
                 : t.name.ends_with(".running_mean") ? reference.running_means
                                                     : reference.running_variances;
    list.emplace_back(t.values.begin(), t.values.end());
  }
  return reference;
}

std::vector<double> inputs(const Examples& e) { return {e.x.begin(), e.x.end()}; }

// Largest distance of fp32 values from wider ones.
template <class A, class B>
double distance(const A& values, const B& expected) {
  double most = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double here = std::fabs(static_cast<double>(values[i]) - expected[i]);
    most = here <= most ? most : here;
  }
  return most;
}

TEST_CASE("batch norm: running statistics are averages over the batches of applied steps, as PyTorch's") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    const auto executor = make_executor(2, "threads");
    GemmContext ctx(kernels, *executor);
    Mlp model(shape_of(Dtype::fp32));
    start(model, kernels);
    ReferenceMlp reference = reference_of(model);
    std::vector<std::vector<double>> means = reference.running_means, variances = reference.running_variances;
    CHECK(means[0] == std::vector<double>(70, 0.0));
    CHECK(variances[1] == std::vector<double>(33, 1.0));
    reference.running_means.clear();
    std::uint64_t step = 0;
    for (std::size_t rows : {120u, 49u, 2u, 97u}) {
      for (bool applied : {false, true}) {
        const Examples e(rows, 12, 3);
        set_input(model, e);
        model.forward(ctx, rows, ++step);
        model.settle_statistics(applied);
        if (!applied) continue;
        const auto layers = reference.forward(inputs(e), rows);
        const auto n = static_cast<double>(rows);
        for (std::size_t l = 0; l < 2; ++l) {
          for (std::size_t o = 0; o < means[l].size(); ++o) {
            means[l][o] += 0.1 * (layers[l].mean[o] - means[l][o]);
            variances[l][o] += 0.1 * (layers[l].variance[o] * n / (n - 1) - variances[l][o]);
          }
        }
      }
      for (std::size_t l = 0; l < 2; ++l) {
        CHECK(distance(model.layers()[l].running[0].values, means[l]) < 2e-6);
        CHECK(distance(model.layers()[l].running[1].values, variances[l]) < 2e-6);
      }
    }
    // Two passes between two calls: parts of one step.
    const auto before = means[0][0];
    model.forward(ctx, 97, ++step);
    model.forward(ctx, 97, ++step);
    model.settle_statistics(true);
    const auto mean = reference.forward(inputs(Examples(97, 12, 3)), 97)[0].mean[0];
    CHECK(model.layers()[0].running[0].values[0] == doctest::Approx(mean + 0.81 * (before - mean)).epsilon(1e-5));
  });
}

TEST_CASE("batch norm: without a mask every row is normalised by the running statistics, in every precision") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    const auto executor = make_executor(2, "threads");
    GemmContext ctx(kernels, *executor);
    for (Dtype dtype : kEachDtype) {
      Mlp model(shape_of(dtype));
      start(model, kernels);
      set_input(model, Examples(120, 12, 3));
      for (std::uint64_t step = 1; step < 30; ++step) {
        model.forward(ctx, 120, step);
        model.settle_statistics(true);
      }
      const ReferenceMlp reference = reference_of(model);
      MlpShape shape = shape_of(dtype);
      shape.training = false;
      Mlp loaded(shape);
      loaded.set_tensors(model.tensors());
      loaded.pack_all(kernels);
      const auto before = master_bits(model);
      for (std::size_t rows : {1u, 7u, 64u}) {
        const Examples e(rows, 12, 3);
        const auto expected = reference.forward(inputs(e), rows).back().y;
        std::vector<std::uint32_t> bits[2];
        for (Mlp* m : {&model, &loaded}) {
          set_input(*m, e);
          m->forward(ctx, rows);
          for (std::size_t r = 0; r < rows; ++r) {
            const float* row = m->logits() + r * m->logits_ld();
            const double slack = dtype == Dtype::fp32 ? 2e-5 : dtype == Dtype::fp16 ? 2e-2 : 1e-1;
            CHECK(distance(row, expected[r]) < slack);
            for (std::size_t o = 0; o < 3; ++o) bits[m == &model].push_back(bits_of(row[o]));
          }
        }
        CHECK(bits[0] == bits[1]);
      }
      CHECK(master_bits(model) == before);
    }
  });
}

TEST_CASE("batch norm: an inf or a NaN in a batch makes the loss NaN, and a single row is refused") {
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    GemmContext ctx(kernels, *executor);
    Mlp model(shape_of(Dtype::bf16));
    start(model, kernels);
    for (float bad : {kNan, kInf, -kInf}) {
      Examples e(50, 12, 3);
      e.x[12 * 20 + 5] = bad;
      set_input(model, e);
      model.forward(ctx, 50, 1);
      for (std::size_t r = 0; r < 50; ++r) CHECK(std::isnan(model.logits()[r * model.logits_ld()]));
      model.settle_statistics(false);
    }
    set_input(model, Examples(50, 12, 3));
    model.forward(ctx, 50, 2);
    CHECK(std::isfinite(model.logits()[0]));
    bool refused = false;
    try {
      model.forward(ctx, 1, 3);
    } catch (const Error& error) {
      refused = error.status() == Status::invalid_argument;
    }
    CHECK(refused);
    model.forward(ctx, 1);
  });
}

// Its bias alone, normalised by a variance of almost nothing, would be beyond fp16.
TEST_CASE("batch norm: the zero row behind an odd batch is no row") {
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    GemmContext ctx(kernels, *executor);
    MlpShape shape = shape_of(Dtype::fp16);
    shape.widths = {12, 70, 70, 3};
    shape.residual = true;
    Mlp model(shape);
    start(model, kernels);
    const auto loss = make_loss(LossKind::cross_entropy, 1.0);
    for (std::size_t rows : {48u, 7u}) {
      const Examples e(rows, 12, 3);
      set_input(model, e);
      model.forward(ctx, rows, 1);
      const LogitsView logits = {model.logits(), model.logits_ld(), 3, rows};
      const LossGradient gradient = {model.d_logits().target(), model.d_logits_sums(), model.logits_ld()};
      evaluate_loss(*loss, kernels, *executor, logits, e.targets(), 256, &gradient);
      model.backward(ctx, rows, false);
      for (std::size_t layer = 0; layer < 2; ++layer) {
        const Activations& d = model.layers()[layer].d;
        CHECK(get(Dtype::fp16, d.rows.data(), 3 * d.ld + 5) != 0);
        for (std::size_t o = 0; rows == 7 && o < 70; ++o) {
          CHECK(get(Dtype::fp16, d.rows.data(), 7 * d.ld + o) == 0);
          CHECK(get(Dtype::fp16, d.panels.data(), panel_index(Dtype::fp16, 7, o, d.panel_stride)) == 0);
        }
      }
    }
    Dense& l = model.layers()[0];
    Examples e(7, 12, 3);
    for (std::size_t i = 0; i < e.x.size(); ++i) e.x[i] = 1000;
    set_input(model, e);
    model.forward(ctx, 7, 1);
    for (std::size_t o = 0; o < 70; ++o) {
      for (std::size_t r = 0; r < 8; ++r) {
        const float y = get(Dtype::fp16, l.y.rows.data(), r * l.y.ld + o);
        CHECK(std::isfinite(y));
        if (r == 7) CHECK(y == 0);
        CHECK(get(Dtype::fp16, l.y.panels.data(), panel_index(Dtype::fp16, r, o, l.y.panel_stride)) == y);
      }
    }
  });
}

}  // namespace
