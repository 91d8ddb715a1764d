// Twenty steps of each optimizer against the textbook in double, through the public interface.
#include <doctest/doctest.h>

#include <cmath>

#include "base/fp_env.hpp"
#include "optim/optimizer.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kSizes[] = {64, 16};
constexpr float kScale = 1024;

// One weight in double. g is the unscaled gradient.
struct Reference {
  double w = 0, m = 0, v = 0;

  void sgd(const OptimizerOptions& o, double lr, double g) {
    g += o.weight_decay * w;
    if (o.momentum != 0) {
      m = o.momentum * m + g;
      g = o.nesterov ? g + o.momentum * m : m;
    }
    w -= lr * g;
  }
  void adam(const OptimizerOptions& o, double lr, double g, int t) {
    if (o.kind == OptimizerKind::adamw) w *= 1 - lr * o.weight_decay;
    if (o.kind == OptimizerKind::adam) g += o.weight_decay * w;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(o.beta1, t)), v_hat = v / (1 - std::pow(o.beta2, t));
    w -= lr * m_hat / (std::sqrt(v_hat) + o.epsilon);
  }
};

std::vector<OptimizerOptions> variants() {
  using enum OptimizerKind;
  return {
      {.kind = sgd, .momentum = 0, .weight_decay = 0},
      {.kind = sgd, .momentum = 0, .weight_decay = 0.01},
      {.kind = sgd, .momentum = 0.9, .weight_decay = 0.01},
      {.kind = sgd, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01},
      {.kind = adam, .weight_decay = 0},
      {.kind = adam, .epsilon = 1e-6, .weight_decay = 0.01},
      {.kind = adamw, .weight_decay = 0.01},
      {.kind = adamw, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1},
  };
}

void check_trajectory(Mismatches& wrong, const KernelTable& kernels, const OptimizerOptions& options,
                      std::size_t variant) {
  const auto optimizer = make_optimizer(options, {kSizes[0], kSizes[1]});
  std::vector<AlignedBuffer<float>> weights;
  std::vector<std::vector<Reference>> expected;
  std::vector<std::vector<double>> travelled;  // how far each weight went in all: what errors are measured against
  for (std::size_t t = 0; t < 2; ++t) {
    weights.push_back(random_floats(kSizes[t], 30 + t));
    expected.emplace_back(kSizes[t]);
    travelled.emplace_back(kSizes[t]);
    for (std::size_t i = 0; i < kSizes[t]; ++i) expected[t][i].w = travelled[t][i] = weights[t][i];
  }
  for (int step = 1; step <= 20; ++step) {
    const double lr = 0.05 / step;
    optimizer->begin_step(lr, 1 / kScale, kInf);
    for (std::size_t t = 0; t < 2; ++t) {
      const auto grad = random_floats(kSizes[t], 100 * t + static_cast<std::size_t>(step), 2 * kScale);
      // In ranges and from the back, as threads might.
      for (std::size_t offset = kSizes[t]; offset > 0; offset -= 16) {
        const FpEnvGuard guard;
        optimizer->apply(kernels, t, offset - 16, 16, grad.data() + offset - 16, weights[t].data() + offset - 16);
      }
      for (std::size_t i = 0; i < kSizes[t]; ++i) {
        const double before = expected[t][i].w, g = static_cast<double>(grad[i]) / static_cast<double>(kScale);
        options.kind == OptimizerKind::sgd ? expected[t][i].sgd(options, lr, g)
                                           : expected[t][i].adam(options, lr, g, step);
        travelled[t][i] = std::fabs(travelled[t][i]) + std::fabs(expected[t][i].w - before);
      }
    }
  }
  if (optimizer->steps() != 20) wrong.add("steps ", optimizer->steps());
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t i = 0; i < kSizes[t]; ++i) {
      const double want = expected[t][i].w;
      if (!(std::fabs(weights[t][i] - want) <= 1e-5 * travelled[t][i])) {
        wrong.add(kernels.name, " variant ", variant, " tensor ", t, " at ", i, ": ", weights[t][i], " not ", want);
      }
    }
  }
}

TEST_CASE("optim: twenty steps against double") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    const std::vector<OptimizerOptions> all = variants();
    for (std::size_t i = 0; i < all.size(); ++i) check_trajectory(wrong, kernels, all[i], i);
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("optim: the first Adam step is lr in the direction of the gradient, whatever its size") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    OptimizerOptions options;
    options.weight_decay = 0;
    const auto optimizer = make_optimizer(options, {16});
    AlignedBuffer<float> weight(16), grad(16);
    grad[0] = 1e-3f, grad[1] = -1e3f, grad[2] = 1.0f;
    optimizer->begin_step(0.01, 1.0f, kInf);
    optimizer->apply(kernels, 0, 0, 16, grad.data(), weight.data());
    CHECK(weight[0] == doctest::Approx(-0.01).epsilon(1e-4).scale(0));
    CHECK(weight[1] == doctest::Approx(0.01).epsilon(1e-4).scale(0));
    CHECK(weight[2] == doctest::Approx(-0.01).epsilon(1e-4).scale(0));
    CHECK(weight[3] == 0);  // padding: no gradient, no motion
  });
}

TEST_CASE("optim: beta2 of 0.999 decays the second moment even after many steps") {
  // In bf16 0.999 would be 1, and the second moment of one early large gradient would stay for ever.
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    OptimizerOptions options;
    options.weight_decay = 0;
    const auto optimizer = make_optimizer(options, {16});
    AlignedBuffer<float> weight(16), grad(16);
    Reference reference;
    for (int step = 1; step <= 3000; ++step) {
      grad[0] = step == 1 ? 100.0f : 0.01f;
      optimizer->begin_step(1e-3, 1.0f, kInf);
      optimizer->apply(kernels, 0, 0, 16, grad.data(), weight.data());
      reference.adam(options, 1e-3, static_cast<double>(grad[0]), step);
    }
    CHECK(weight[0] == doctest::Approx(reference.w).epsilon(1e-3).scale(0));
  });
}

TEST_CASE("optim: memory is two moments for Adam, one for momentum, none for plain SGD") {
  OptimizerOptions options;
  CHECK(make_optimizer(options, {64, 16})->memory_bytes() == 2 * 80 * 4);
  options.kind = OptimizerKind::sgd;
  CHECK(make_optimizer(options, {64, 16})->memory_bytes() == 80 * 4);
  options.momentum = 0;
  CHECK(make_optimizer(options, {64, 16})->memory_bytes() == 0);
}

}  // namespace
