// Gradients of the whole network against a plain double MLP.
#include <doctest/doctest.h>

#include <optional>

#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "tests/nn/gradients.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

struct Net {
  std::vector<std::size_t> widths;
  std::size_t rows;
};
const Net kNets[] = {{{5, 7, 3}, 4}, {{30, 64, 32, 2}, 13}, {{17, 65, 33, 10}, 49}, {{6, 3}, 1}};

struct Precision {
  Dtype dtype;
  double tolerance;
};
constexpr Precision kPrecisions[] = {{Dtype::fp32, 2e-5}, {Dtype::bf16, 6e-2}, {Dtype::fp16, 1e-2}};

void check_net(Mismatches& wrong, const KernelTable& kernels, Executor& executor, const Net& net, Activation activation,
               LossKind kind) {
  const Examples e(net.rows, net.widths.front(), net.widths.back());
  for (const Precision& p : kPrecisions) {
    Network model({.widths = net.widths, .activation = activation, .dtype = p.dtype, .max_rows = net.rows + 3});
    start(model, kernels);
    set_input(model, e);
    GemmContext ctx(kernels, executor);
    const std::string what = std::string(kernels.name) + " " + std::string(name(p.dtype)) + " " + label(activation) +
                             " loss " + std::to_string(static_cast<int>(kind)) + " inputs " +
                             std::to_string(net.widths.front());
    const float scale = 256;
    const auto expected = reference_of(model).gradients(kind, {e.x.begin(), e.x.end()}, e.rows, e.reference());
    for (int pass = 0; pass < 2; ++pass) {
      const double loss = run(ctx, model, kind, e, scale, pass == 1);
      if (!(std::fabs(loss - expected.loss) <= p.tolerance * (1 + expected.loss)))
        wrong.add(what, ": ", loss, " not ", expected.loss);
      compare(wrong, what + (pass == 1 ? " accumulated" : ""), model, expected, static_cast<double>(scale) * (pass + 1),
              p.tolerance, p.dtype == Dtype::fp32);
    }
  }
}

TEST_CASE("nn: gradients with normalisation and dropout against double, in every precision") {
  const auto executor = make_executor(3, "threads");
  // Backward tasks of several chunks, parts of a row, and enough elements for threads.
  const std::vector<Net> nets = {{{5, 7, 3}, 4}, {{17, 65, 33, 10}, 49}, {{20, 300, 40, 5}, 101}, {{6, 12, 3}, 5}};
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    GemmContext ctx(kernels, *executor);
    for (const Net& net : nets) {
      if (test_effort() < 1 && net.rows > 100) continue;
      const Examples e(net.rows, net.widths.front(), net.widths.back());
      for (const Rows& r : kRows) {
        for (Activation activation : {Activation::relu, Activation::gelu, Activation::tanh, Activation::sigmoid}) {
          std::optional<ReferenceMlp::Gradients> expected;  // from the masters, which are the same in every precision
          for (const Precision& p : kPrecisions) {
            Network model({.widths = net.widths,
                           .activation = activation,
                           .norm = r.norm,
                           .dropout = r.dropout,
                           .mask_seed = 99,
                           .dtype = p.dtype,
                           .max_rows = net.rows + 3});
            start(model, kernels);
            set_input(model, e);
            if (!expected) expected = expected_of(model, e);
            const std::string what = std::string(kernels.name) + " " + std::string(name(p.dtype)) + " " +
                                     label(activation) + " " + std::string(name(r.norm)) + " norm, dropout " +
                                     std::to_string(r.dropout) + " inputs " + std::to_string(net.widths.front());
            // In 16 bits z is rounded before the norm, which carries single values of a ReLU over its kink.
            const bool kink = activation == Activation::relu && p.dtype != Dtype::fp32;
            const double tolerance = kink ? 0.1 : p.tolerance;
            for (int pass = 0; pass < 2; ++pass) {
              const double loss = run(ctx, model, LossKind::cross_entropy, e, 256, pass == 1);
              if (!(std::fabs(loss - expected->loss) <= tolerance * (1 + expected->loss)))
                wrong.add(what, ": ", loss, " not ", expected->loss);
              compare(wrong, what, model, *expected, 256.0 * (pass + 1), tolerance, p.dtype == Dtype::fp32);
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

// With a skip around layers of every kind: the first, between others, none.
void check_residual(Mismatches& wrong, GemmContext& ctx, NetworkShape shape, const std::vector<Dtype>& dtypes,
                    const Examples& e, const ReferenceMlp::Gradients& expected, double tolerance) {
  shape.layer_dtypes = dtypes;
  Network model(shape);
  start(model, ctx.kernels);
  const Examples before(140, 20, 5);  // leaves what later batches must not see
  set_input(model, before);
  run(ctx, model, LossKind::cross_entropy, before, 256, false);
  set_input(model, e);
  const std::string what = std::string(ctx.kernels.name) + " " + std::string(name(dtypes[0])) + "..., " +
                           label(shape.activation) + ", " + std::string(name(shape.norm)) + " norm, dropout " +
                           std::to_string(shape.dropout) + ", " + std::to_string(e.rows) + " rows, residual";
  for (int pass = 0; pass < 2; ++pass) {
    const double loss = run(ctx, model, LossKind::cross_entropy, e, 256, pass == 1);
    if (!(std::fabs(loss - expected.loss) <= tolerance * (1 + expected.loss)))
      wrong.add(what, ": ", loss, " not ", expected.loss);
    compare(wrong, what, model, expected, 256.0 * (pass + 1), tolerance, dtypes == std::vector(5, Dtype::fp32));
  }
}

TEST_CASE("nn: gradients with layers that are skipped against double, in every precision") {
  constexpr Dtype kFp32 = Dtype::fp32, kBf16 = Dtype::bf16, kFp16 = Dtype::fp16;
  const auto executor = make_executor(3, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    GemmContext ctx(kernels, *executor);
    for (const Rows& r : {Rows{Norm::none, 0}, Rows{Norm::layer, 0}, Rows{Norm::batch, 0.25}, Rows{Norm::none, 0.5}}) {
      for (Activation activation : {Activation::relu, Activation::gelu, Activation::tanh, Activation::elu}) {
        for (std::size_t rows : {101u, 13u}) {
          if (test_effort() < 1 && rows > 48) continue;
          const Examples e(rows, 20, 5);
          const NetworkShape shape = {.widths = {20, 20, 37, 37, 37, 5},
                                      .activation = activation,
                                      .norm = r.norm,
                                      .dropout = r.dropout,
                                      .residual = true,
                                      .mask_seed = 99,
                                      .max_rows = 140};
          Network masters(shape);
          start(masters, kernels);
          const auto expected = expected_of(masters, e);
          check_residual(wrong, ctx, shape, std::vector(5, kFp32), e, expected, 2e-5);
          // In 16 bits single values cross the kink of a ReLU, and a norm over few rows makes much of each.
          if (activation == Activation::relu && r.norm != Norm::none) continue;
          const double kink = activation == Activation::relu ? 2 : 1;
          check_residual(wrong, ctx, shape, std::vector(5, kFp16), e, expected, 1e-2 * kink);
          check_residual(wrong, ctx, shape, std::vector(5, kBf16), e, expected, 6e-2 * kink);
          check_residual(wrong, ctx, shape, {kBf16, kFp16, kFp32, kBf16, kFp16}, e, expected, 6e-2 * kink);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("nn: without a mask nothing is dropped, and another mask drops others") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    const auto executor = make_executor(1, "serial");
    GemmContext ctx(kernels, *executor);
    const Examples e(20, 12, 3);
    const NetworkShape plain = {.widths = {12, 40, 3}, .activation = Activation::tanh, .max_rows = 20};
    NetworkShape dropping = plain;
    dropping.dropout = 0.5;
    Network a(plain), b(dropping);
    for (Network* model : {&a, &b}) {
      start(*model, kernels);
      set_input(*model, e);
    }
    auto logits = [&](Network& model, std::optional<std::uint64_t> mask) {
      model.forward(ctx, 20, mask);
      return std::vector<float>(model.logits(), model.logits() + 20 * model.logits_ld());
    };
    CHECK(logits(a, {}) == logits(b, {}));
    CHECK(logits(a, {}) == logits(a, 1));
    CHECK(logits(b, 1) == logits(b, 1));
    CHECK(logits(b, 1) != logits(b, 2));
    CHECK(logits(b, 1) != logits(b, {}));
  });
}

TEST_CASE("nn: gradients of layers in different precisions against double") {
  constexpr Dtype kFp32 = Dtype::fp32, kBf16 = Dtype::bf16, kFp16 = Dtype::fp16;
  const auto executor = make_executor(2, "threads");
  const Examples e(37, 20, 5);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    GemmContext ctx(kernels, *executor);
    for (Activation activation :
         {Activation::relu, Activation::silu, Activation::tanh}) {  // the last two with norm, dropout
      for (const std::vector<Dtype>& dtypes :
           {std::vector{kFp32, kBf16, kFp16}, {kBf16, kFp16, kFp32}, {kFp16, kFp32, kBf16}, {kBf16, kFp32, kBf16}}) {
        const bool plain = activation == Activation::relu;
        Network model({.widths = {20, 50, 33, 5},
                       .activation = activation,
                       .norm = plain ? Norm::none : Norm::layer,
                       .dropout = plain ? 0 : 0.25,
                       .layer_dtypes = dtypes,
                       .max_rows = 40});
        start(model, kernels);
        set_input(model, e);
        const auto expected = expected_of(model, e);
        const std::string what = std::string(kernels.name) + " " + label(activation) + " mixed";
        const double loss = run(ctx, model, LossKind::cross_entropy, e, 256, false);
        if (!(std::fabs(loss - expected.loss) <= 0.06 * (1 + expected.loss))) wrong.add(what, " loss ", loss);
        compare(wrong, what, model, expected, 256, 0.06, false);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("nn: naming each layer's precision is naming the model's") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const auto executor = make_executor(1, "serial");
    const Examples e(30, 20, 5);
    for (const Precision& p : kPrecisions) {
      std::vector<float> gradients[2];
      for (int i = 0; i < 2; ++i) {
        NetworkShape shape = {.widths = {20, 40, 5}, .activation = Activation::relu, .max_rows = 30};
        if (i == 0) shape.dtype = p.dtype;
        if (i == 1) shape.layer_dtypes = {p.dtype, p.dtype};
        Network model(shape);
        start(model, kernels);
        set_input(model, e);
        GemmContext ctx(kernels, *executor);
        run(ctx, model, LossKind::cross_entropy, e, 256, false);
        for (const Parameter* p : matrices(model)) {
          gradients[i].insert(gradients[i].end(), p->gradient.begin(), p->gradient.end());
        }
      }
      CHECK(gradients[0] == gradients[1]);
    }
  });
}

TEST_CASE("nn: gradients of every activation and loss against double, in every precision") {
  const auto executor = make_executor(2, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (Activation activation : kEachActivation) {
      for (LossKind kind : kEachLoss) {
        for (std::size_t i = 0; i < std::size(kNets); ++i) {
          if (test_effort() < 1 && i == 2) continue;
          check_net(wrong, kernels, *executor, kNets[i], activation, kind);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

// The kernel's own rule for partial batches: rows of an earlier, larger batch must not be seen.
TEST_CASE("nn: a smaller batch after a larger one gives what it would give alone") {
  const auto executor = make_executor(3, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      GemmContext ctx(kernels, *executor);
      const NetworkShape shape = {
          .widths = {9, 20, 4}, .activation = Activation::gelu, .dtype = dtype, .max_rows = 480};
      Network used(shape), fresh(shape);
      start(used, kernels);
      start(fresh, kernels);
      const Examples large(480, 9, 4);
      set_input(used, large);
      run(ctx, used, LossKind::cross_entropy, large, 1.0f, false);
      for (std::size_t rows : {434u, 433u, 97u, 50u, 1u}) {
        const Examples small(rows, 9, 4);
        set_input(used, small);
        set_input(fresh, small);
        const double a = run(ctx, used, LossKind::cross_entropy, small, 1.0f, false);
        const double b = run(ctx, fresh, LossKind::cross_entropy, small, 1.0f, false);
        std::size_t differing = a != b;
        for (std::size_t t = 0; t < used.trained().size(); ++t) {
          const Parameter &p = *used.trained()[t], &q = *fresh.trained()[t];
          for (std::size_t i = 0; i < p.size(); ++i) differing += bits_of(p.gradient[i]) != bits_of(q.gradient[i]);
        }
        const auto expected = reference_of(fresh).gradients(LossKind::cross_entropy, {small.x.begin(), small.x.end()},
                                                            rows, small.reference());
        compare(wrong, std::string(kernels.name) + " rows " + std::to_string(rows), fresh, expected, 1, 6e-2,
                dtype == Dtype::fp32);
        if (differing != 0)
          wrong.add(kernels.name, " ", name(dtype), " rows ", rows, ": ", differing, " values differ");
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
