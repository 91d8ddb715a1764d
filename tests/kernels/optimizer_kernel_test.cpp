// One pass of the optimizer kernels against double formulas, and what multiplier and limit mean.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kCount = 1024;

struct State {
  AlignedBuffer<float> grad = random_floats(kCount, 1, 64.0f), master = random_floats(kCount, 2),
                       m = random_floats(kCount, 3, 0.1f), v = random_floats(kCount, 4, 0.01f);
  State() {
    for (float& x : v) x = std::fabs(x);
  }
};

double limited(double grad, const auto& p) {
  const double limit = p.limit;
  return (grad > limit ? limit : grad < -limit ? -limit : grad) * static_cast<double>(p.multiplier);
}

bool close(double got, double expected, double size) { return std::fabs(got - expected) <= 1e-6 * (size + 1e-30); }

constexpr AdamParameters kAdam[] = {
    {1.0f / 32, kInf, 0.9f, 0.999f, 0.1f, 0.001f, 0.01f, 1.5f, 1e-8f, 0.999f, 0.0f},
    {1.0f / 64, 16.0f, 0.9f, 0.999f, 0.1f, 0.001f, 0.05f, 3.0f, 1e-6f, 1.0f, 0.1f},
    {0.013f, kInf, 0.0f, 0.5f, 1.0f, 0.5f, 0.001f, 1.0f, 1e-3f, 0.5f, 0.0f},
};

TEST_CASE("kernels: adam against double") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    for (const AdamParameters& p : kAdam) {
      const State before;
      State s;
      {
        const FpEnvGuard guard;
        kernels.adam(kCount, s.grad.data(), s.master.data(), s.m.data(), s.v.data(), p);
      }
      for (std::size_t i = 0; i < kCount; ++i) {
        const double w = before.master[i], m0 = before.m[i], v0 = before.v[i];
        const double g = limited(before.grad[i], p) + static_cast<double>(p.l2) * w;
        const double m = m0 + static_cast<double>(p.one_minus_beta1) * (g - m0);
        const double v = static_cast<double>(p.beta2) * v0 + static_cast<double>(p.one_minus_beta2) * g * g;
        const double update =
            static_cast<double>(p.step_size) * m /
            (std::sqrt(v) * static_cast<double>(p.inv_sqrt_correction) + static_cast<double>(p.epsilon));
        const double expected = w * static_cast<double>(p.decay) - update;
        if (!close(s.m[i], m, std::fabs(m0) + std::fabs(g)))
          wrong.add(kernels.name, " m at ", i, ": ", s.m[i], " not ", m);
        if (!close(s.v[i], v, v)) wrong.add(kernels.name, " v at ", i, ": ", s.v[i], " not ", v);
        if (!close(s.master[i], expected, std::fabs(w) + std::fabs(update))) {
          wrong.add(kernels.name, " master at ", i, ": ", s.master[i], " not ", expected);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

constexpr SgdParameters kSgd[] = {
    {1.0f / 32, kInf, 0.1f, 0.0f, 0.0f, false},
    {1.0f / 32, 20.0f, 0.1f, 0.0f, 0.01f, false},
    {1.0f / 32, kInf, 0.1f, 0.9f, 0.0f, false},
    {0.02f, 48.0f, 0.1f, 0.9f, 0.1f, true},
};

TEST_CASE("kernels: sgd against double") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    for (const SgdParameters& p : kSgd) {
      const State before;
      State s;
      const bool momentum = p.momentum != 0.0f;
      {
        const FpEnvGuard guard;
        kernels.sgd(kCount, s.grad.data(), s.master.data(), momentum ? s.m.data() : nullptr, p);
      }
      for (std::size_t i = 0; i < kCount; ++i) {
        const double w = before.master[i], g = limited(before.grad[i], p) + static_cast<double>(p.l2) * w;
        const double b = momentum ? static_cast<double>(p.momentum) * before.m[i] + g : before.m[i];
        const double direction = !momentum ? g : p.nesterov ? g + static_cast<double>(p.momentum) * b : b;
        const double expected = w - static_cast<double>(p.lr) * direction;
        if (!close(s.m[i], b, std::fabs(before.m[i]) + std::fabs(g)))
          wrong.add(kernels.name, " momentum at ", i, ": ", s.m[i], " not ", b);
        if (!close(s.master[i], expected, std::fabs(w) + std::fabs(direction))) {
          wrong.add(kernels.name, " master at ", i, ": ", s.master[i], " not ", expected);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

constexpr LionParameters kLion[] = {
    {1.0f / 32, kInf, 0.01f, 0.1f, 0.01f, 0.0f},
    {0.02f, 16.0f, 0.001f, 0.05f, 0.02f, 0.1f},
};

TEST_CASE("kernels: lion moves each weight by lr or not at all") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const LionParameters& p : kLion) {
      State s;
      const State before;
      for (std::size_t i = 0; i < 32; ++i) s.grad[i] = s.m[i] = i % 2 ? 0.0f : -0.0f;
      kernels.lion(kCount, s.grad.data(), s.master.data(), s.m.data(), p);
      for (std::size_t i = 0; i < kCount; ++i) {
        const double m0 = i < 32 ? 0 : before.m[i], g = i < 32 ? 0 : limited(before.grad[i], p);
        const double mixed = m0 + static_cast<double>(p.one_minus_beta1) * (g - m0);
        const double m = m0 + static_cast<double>(p.one_minus_beta2) * (g - m0);
        const double w = before.master[i];
        const double direction = (mixed > 0) - (mixed < 0) + static_cast<double>(p.weight_decay) * w;
        const double expected = w - static_cast<double>(p.lr) * direction;
        if (!close(s.m[i], m, std::fabs(m0) + std::fabs(g))) wrong.add(kernels.name, " m at ", i, ": ", s.m[i]);
        if (!close(s.master[i], expected, std::fabs(w) + 0.01)) wrong.add(kernels.name, " at ", i, ": ", s.master[i]);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: optimizers have the same bits on every ISA") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    auto compare = [&](const char* what, const AlignedBuffer<float>& got, const AlignedBuffer<float>& expected) {
      for (std::size_t i = 0; i < kCount; ++i) {
        if (!same_bits(got[i], expected[i]))
          wrong.add(kernels.name, " ", what, " at ", i, ": ", got[i], " not ", expected[i]);
      }
    };
    for (const AdamParameters& p : kAdam) {
      State a, b;
      for (int step = 0; step < 3; ++step) {
        kernels.adam(kCount, a.grad.data(), a.master.data(), a.m.data(), a.v.data(), p);
        scalar.adam(kCount, b.grad.data(), b.master.data(), b.m.data(), b.v.data(), p);
      }
      compare("adam master", a.master, b.master);
      compare("adam m", a.m, b.m);
      compare("adam v", a.v, b.v);
    }
    for (const SgdParameters& p : kSgd) {
      State a, b;
      kernels.sgd(kCount, a.grad.data(), a.master.data(), a.m.data(), p);
      scalar.sgd(kCount, b.grad.data(), b.master.data(), b.m.data(), p);
      compare("sgd master", a.master, b.master);
      compare("sgd momentum", a.m, b.m);
    }
    for (const LionParameters& p : kLion) {
      State a, b;
      kernels.lion(kCount, a.grad.data(), a.master.data(), a.m.data(), p);
      scalar.lion(kCount, b.grad.data(), b.master.data(), b.m.data(), p);
      compare("lion master", a.master, b.master);
      compare("lion momentum", a.m, b.m);
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: the limit acts before the multiplier, and NaN passes it") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    AlignedBuffer<float> grad(16), master(16);
    grad[0] = 100.0f, grad[1] = -100.0f, grad[2] = 3.0f, grad[3] = kNan, grad[4] = kInf;
    kernels.sgd(16, grad.data(), master.data(), nullptr, {0.5f, 8.0f, 1.0f, 0.0f, 0.0f, false});
    CHECK(master[0] == -4.0f);
    CHECK(master[1] == 4.0f);
    CHECK(master[2] == -1.5f);
    CHECK(std::isnan(master[3]));
    CHECK(master[4] == -4.0f);
    CHECK(master[5] == 0.0f);
  });
}

}  // namespace
