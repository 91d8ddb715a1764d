// BatchNorm as a layer of a network: what its running statistics are, and what goes by them.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

NetworkShape shape_of(Dtype dtype) {
  return {
      .widths = {12, 70, 33, 3}, .activation = Activation::gelu, .norm = Norm::batch, .dtype = dtype, .max_rows = 120};
}

// Everything but what a step would leave: gamma and beta that are not 1 and 0.
void start(Network& model, const KernelTable& kernels) {
  model.initialise(11, kernels);
  for (Parameter* p : model.parameters()) {
    if (!p->name.ends_with("gamma") && !p->name.ends_with("beta")) continue;
    const AlignedBuffer<float> noise = random_floats(p->size(), 90, 0.3f);
    for (std::size_t o = 0; o < p->elements(); ++o) p->master[o] += noise[o];
  }
}

ReferenceMlp reference_of(const Network& model) {
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
    Network model(shape_of(Dtype::fp32));
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
        applied ? model.commit_statistics() : model.discard_statistics();
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
        const std::string layer = "layers." + std::to_string(l);
        CHECK(distance(parameter(model, layer + ".running_mean").master, means[l]) < 2e-6);
        CHECK(distance(parameter(model, layer + ".running_var").master, variances[l]) < 2e-6);
      }
    }
    // Two passes between two calls: parts of one step.
    const auto before = means[0][0];
    model.forward(ctx, 97, ++step);
    model.forward(ctx, 97, ++step);
    model.commit_statistics();
    const auto mean = reference.forward(inputs(Examples(97, 12, 3)), 97)[0].mean[0];
    CHECK(parameter(model, "layers.0.running_mean").master[0] ==
          doctest::Approx(mean + 0.81 * (before - mean)).epsilon(1e-5));
  });
}

TEST_CASE("batch norm: without a mask every row is normalised by the running statistics, in every precision") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    const auto executor = make_executor(2, "threads");
    GemmContext ctx(kernels, *executor);
    for (Dtype dtype : kEachDtype) {
      Network model(shape_of(dtype));
      start(model, kernels);
      set_input(model, Examples(120, 12, 3));
      for (std::uint64_t step = 1; step < 30; ++step) {
        model.forward(ctx, 120, step);
        model.commit_statistics();
      }
      const ReferenceMlp reference = reference_of(model);
      NetworkShape shape = shape_of(dtype);
      shape.training = false;
      Network loaded(shape);
      loaded.set_tensors(model.tensors());
      loaded.pack_all(kernels);
      const auto before = master_bits(model);
      for (std::size_t rows : {1u, 7u, 64u}) {
        const Examples e(rows, 12, 3);
        const auto expected = reference.forward(inputs(e), rows).back().y;
        std::vector<std::uint32_t> bits[2];
        for (Network* m : {&model, &loaded}) {
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
    Network model(shape_of(Dtype::bf16));
    start(model, kernels);
    for (float bad : {kNan, kInf, -kInf}) {
      Examples e(50, 12, 3);
      e.x[12 * 20 + 5] = bad;
      set_input(model, e);
      model.forward(ctx, 50, 1);
      for (std::size_t r = 0; r < 50; ++r) CHECK(std::isnan(model.logits()[r * model.logits_ld()]));
      model.discard_statistics();
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
    NetworkShape shape = shape_of(Dtype::fp16);
    shape.widths = {12, 70, 70, 3};
    shape.residual = true;
    Network model(shape);
    start(model, kernels);
    const auto loss = make_loss(LossKind::cross_entropy, 1.0);
    for (std::size_t rows : {48u, 7u}) {
      const Examples e(rows, 12, 3);
      set_input(model, e);
      model.forward(ctx, rows, 1);
      const LogitsView logits = {model.logits(), model.logits_ld(), 3, rows};
      const LossGradient gradient = {model.logits_gradient().d, model.logits_gradient().sums, model.logits_ld()};
      evaluate_loss(*loss, kernels, *executor, logits, e.targets(), 256, &gradient);
      model.backward(ctx, rows, false);
      for (std::size_t layer = 0; layer < 2; ++layer) {
        const StoredSignal& d = signal(model, "layers." + std::to_string(layer) + ".d");
        CHECK(get(Dtype::fp16, d.data, 3 * d.ld + 5) != 0);
        for (std::size_t o = 0; rows == 7 && o < 70; ++o) {
          CHECK(get(Dtype::fp16, d.data, 7 * d.ld + o) == 0);
          CHECK(get(Dtype::fp16, d.panels, panel_index(Dtype::fp16, 7, o, d.panel_stride)) == 0);
        }
      }
    }
    const StoredSignal& y = signal(model, "layers.0.output");
    Examples e(7, 12, 3);
    for (std::size_t i = 0; i < e.x.size(); ++i) e.x[i] = 1000;
    set_input(model, e);
    model.forward(ctx, 7, 1);
    for (std::size_t o = 0; o < 70; ++o) {
      for (std::size_t r = 0; r < 8; ++r) {
        const float value = get(Dtype::fp16, y.data, r * y.ld + o);
        CHECK(std::isfinite(value));
        if (r == 7) CHECK(value == 0);
        CHECK(get(Dtype::fp16, y.panels, panel_index(Dtype::fp16, r, o, y.panel_stride)) == value);
      }
    }
  });
}

}  // namespace
