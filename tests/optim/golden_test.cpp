// A hundred steps of each optimizer against PyTorch 2.13 in fp32, and of Lion against its paper in double.
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

constexpr std::size_t kWeights = 16;
constexpr int kSteps = 100;
constexpr float kScale = 4096;

// Exact in fp32, so that every program starts from the same numbers.
float start(std::size_t i) {
  const float size = 1.0f + static_cast<float>(i) / 16.0f;
  return i % 2 == 0 ? size : -size;
}
float gradient(int step, std::size_t i) {
  return static_cast<float>((static_cast<std::size_t>(step) * 7 + i * 5) % 33) / 8.0f - 2.0f;
}

AlignedBuffer<float> run(const KernelTable& kernels, const OptimizerOptions& options, double lr) {
  const FpEnvGuard guard;
  const auto optimizer = make_optimizer(options, {kWeights});
  AlignedBuffer<float> weights(kWeights), scaled(kWeights);
  for (std::size_t i = 0; i < kWeights; ++i) weights[i] = start(i);
  for (int step = 1; step <= kSteps; ++step) {
    for (std::size_t i = 0; i < kWeights; ++i) scaled[i] = kScale * gradient(step, i);
    optimizer->begin_step(lr, 1 / kScale, kInf);
    optimizer->apply(kernels, 0, 0, kWeights, scaled.data(), weights.data());
  }
  return weights;
}

void check(Mismatches& wrong, const std::string& what, const AlignedBuffer<float>& got, const auto& expected) {
  for (std::size_t i = 0; i < kWeights; ++i) {
    const double want = static_cast<double>(expected[i]);
    if (!(std::fabs(static_cast<double>(got[i]) - want) <= 1e-6 * std::fabs(want))) {
      wrong.add(what, " at ", i, ": ", got[i], " not ", want);
    }
  }
}

struct Golden {
  const char* call;  // on one parameter of the values start(i), with .grad = gradient(t, i) for t = 1 to 100
  OptimizerOptions options;
  double lr;
  float weights[kWeights];
};

std::vector<Golden> golden() {
  using enum OptimizerKind;
  return {
      {"torch.optim.SGD(lr=0.01)",
       {.kind = sgd, .momentum = 0, .weight_decay = 0},
       0.01,
       {1.01125038f, -1.0575f, 1.12374997f, -1.19500005f, 1.23625004f, -1.33249998f, 1.38999999f, -1.42875004f,
        1.50250006f, -1.56624997f, 1.61500001f, -1.70375001f, 1.76874995f, -1.79999995f, 1.88125002f, -1.9375f}},
      {"torch.optim.SGD(lr=0.01, momentum=0.9, weight_decay=0.01)",
       {.kind = sgd, .momentum = 0.9, .weight_decay = 0.01},
       0.01,
       {0.878751159f, -0.923711538f, 0.953825772f, -1.15958548f, 1.19642794f, -1.17555916f, 1.35752988f, -1.3869735f,
        1.24845612f, -1.42998409f, 1.41819751f, -1.56214654f, 1.77786267f, -1.45720744f, 1.68594456f, -1.90649033f}},
      {"torch.optim.SGD(lr=0.01, momentum=0.9, weight_decay=0.01, nesterov=True)",
       {.kind = sgd, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01},
       0.01,
       {0.892621934f, -0.923273742f, 0.959718585f, -1.15782452f, 1.17532587f, -1.19669008f, 1.36053073f, -1.36858284f,
        1.26291931f, -1.43243086f, 1.41402733f, -1.57482314f, 1.77504134f, -1.46481907f, 1.69400787f, -1.8892976f}},
      {"torch.optim.Adam(lr=0.001)",
       {.kind = adam, .weight_decay = 0},
       0.001,
       {1.00156879f, -1.06053782f, 1.12163174f, -1.19024396f, 1.25043488f, -1.31346762f, 1.37780237f, -1.4375608f,
        1.49876952f, -1.56347561f, 1.62240505f, -1.68845403f, 1.75449157f, -1.80806315f, 1.87469852f, -1.94094789f}},
      {"torch.optim.Adam(lr=0.01, weight_decay=0.1, eps=1e-6)",
       {.kind = adam, .epsilon = 1e-6, .weight_decay = 0.1},
       0.01,
       {0.933132052f, -0.957958519f, 1.00519061f, -1.11940753f, 1.15589964f, -1.21867561f, 1.29215205f, -1.32126284f,
        1.36770451f, -1.44922602f, 1.47521913f, -1.56473994f, 1.65496004f, -1.62838876f, 1.7213136f, -1.80498195f}},
      {"torch.optim.AdamW(lr=0.001)",
       {.kind = adamw},
       0.001,
       {1.00056744f, -1.05947685f, 1.12051117f, -1.18905187f, 1.24918318f, -1.31215632f, 1.37641954f, -1.43611836f,
        1.49726748f, -1.56191397f, 1.62078381f, -1.68676126f, 1.75273919f, -1.80625117f, 1.87282634f, -1.93900478f}},
      {"torch.optim.AdamW(lr=0.01, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1)",
       {.kind = adamw, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.1},
       0.01,
       {0.915008366f, -0.950044632f, 0.992126048f, -1.09539235f, 1.12908888f, -1.19411325f, 1.26721513f, -1.29690254f,
        1.34961104f, -1.42616463f, 1.45122397f, -1.53603637f, 1.61088645f, -1.60913634f, 1.69924831f, -1.77336633f}},
  };
}

TEST_CASE("optim: a hundred steps as PyTorch takes them") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    for (const Golden& g : golden()) {
      check(wrong, std::string(kernels.name) + " " + g.call, run(kernels, g.options, g.lr), g.weights);
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

// Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2.
std::vector<double> lion(double lr, double beta1, double beta2, double decay) {
  std::vector<double> weights;
  for (std::size_t i = 0; i < kWeights; ++i) {
    double w = static_cast<double>(start(i)), m = 0;
    for (int step = 1; step <= kSteps; ++step) {
      const double g = static_cast<double>(gradient(step, i)), c = beta1 * m + (1 - beta1) * g;
      w -= lr * ((c > 0) - (c < 0) + decay * w);
      m = beta2 * m + (1 - beta2) * g;
    }
    weights.push_back(w);
  }
  return weights;
}

TEST_CASE("optim: a hundred steps of Lion as its paper has them") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    const OptimizerOptions plain{.kind = OptimizerKind::lion, .beta2 = 0.99, .weight_decay = 0};
    const OptimizerOptions decayed{.kind = OptimizerKind::lion, .beta1 = 0.95, .beta2 = 0.98, .weight_decay = 0.1};
    check(wrong, kernels.name, run(kernels, plain, 1e-3), lion(1e-3, 0.9, 0.99, 0));
    check(wrong, kernels.name, run(kernels, decayed, 1e-2), lion(1e-2, 0.95, 0.98, 0.1));
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

// Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, with the line drawn at 5, and what
// overflows: squares of 1e20 and more divide a step by infinity.
std::vector<double> radam(double lr, double beta1, double beta2, double decay, double epsilon) {
  std::vector<double> weights;
  for (std::size_t i = 0; i < kWeights; ++i) {
    double w = static_cast<double>(start(i)), m = 0, v = 0;
    for (int step = 1; step <= kSteps; ++step) {
      const double g = static_cast<double>(gradient(step, i));
      w *= 1 - lr * decay;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const double power = std::pow(beta2, step), most = 2 / (1 - beta2) - 1;
      const double length = most - 2 * step * power / (1 - power);
      const double mean = m / (1 - std::pow(beta1, step));
      if (length <= 5) {
        w -= lr * mean;
        continue;
      }
      const double rectified = std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
      w -= lr * mean * rectified * std::sqrt(1 - power) / (std::sqrt(v) + epsilon);
    }
    weights.push_back(w);
  }
  return weights;
}

TEST_CASE("optim: a hundred steps of RAdam as its paper has them") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    const OptimizerOptions plain{.kind = OptimizerKind::radam, .weight_decay = 0};
    const OptimizerOptions other{.kind = OptimizerKind::radam,
                                 .beta1 = 0.8,
                                 .beta2 = 0.95,
                                 .epsilon = 1e-3,
                                 .weight_decay = 0.09765625};  // x lr: 2^-10
    const OptimizerOptions never{.kind = OptimizerKind::radam, .beta2 = 0.5, .weight_decay = 0};
    check(wrong, kernels.name, run(kernels, plain, 1e-3), radam(1e-3, 0.9, 0.999, 0, 1e-8));
    check(wrong, kernels.name, run(kernels, other, 1e-2), radam(1e-2, 0.8, 0.95, 0.09765625, 1e-3));
    check(wrong, kernels.name, run(kernels, never, 1e-3), radam(1e-3, 0.9, 0.5, 0, 1e-8));
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("optim: squares that overflow end a weight's steps, its bits stay finite") {
  using enum OptimizerKind;
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (const OptimizerKind kind : {adam, adamw, radam}) {
      const auto optimizer = make_optimizer({.kind = kind, .weight_decay = 0}, {kWeights});
      AlignedBuffer<float> weights(kWeights), large(kWeights);
      for (float& g : large) g = 1e30f;
      for (int step = 0; step < 20; ++step) {
        optimizer->begin_step(1e-3, 1, kInf);
        optimizer->apply(kernels, 0, 0, kWeights, large.data(), weights.data());
      }
      for (const float w : weights) CHECK(w == 0);
    }
  });
}

}  // namespace
