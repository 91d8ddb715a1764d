#include <doctest/doctest.h>

#include <cstdio>

#include "base/fp_env.hpp"
#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"
#include "support/reference.hpp"

using namespace halfstep;
using namespace halfstep::test;

namespace {

constexpr long double kLeastNormal = 0x1p-126L;

// Every exponent evenly and, more densely, the range where the functions bend.
AlignedBuffer<float> samples() {
  const Rng rng(5, 5);
  const std::size_t per_exponent = sized(300), bend = sized(200000);
  AlignedBuffer<float> x(2 * 254 * per_exponent + bend);
  std::size_t n = 0;
  for (std::uint32_t exponent = 1; exponent < 255; ++exponent) {
    for (std::size_t i = 0; i < per_exponent; ++i, n += 2) {
      x[n] = float_of(exponent << 23 | rng.u32(n) >> 9);
      x[n + 1] = -x[n];
    }
  }
  for (std::size_t i = 0; i < bend; ++i) x[n + i] = (2.0f * rng.uniform(n + i) - 1.0f) * (i % 4 == 0 ? 100.0f : 12.0f);
  return x;
}

// Error in units of the last place of the wider result; a result below the least normal may have been flushed.
double ulps(float got, long double expected) {
  if (std::isnan(got)) return std::isnan(static_cast<double>(expected)) ? 0 : HUGE_VAL;
  if (std::fabs(expected) < kLeastNormal && got == 0) return 0;
  if (std::isinf(got)) return std::fabs(expected) > 0x1.fffffep127L ? 0 : HUGE_VAL;
  const long double size = std::max(std::fabs(expected), kLeastNormal);
  return static_cast<double>(std::fabs(got - expected) / std::ldexp(1.0L, std::ilogb(size) - 23));
}

// x times a factor between 0 and 1. The factor of the two GELUs is made as 1/2 + t/2, so that where it is small its
// error is that of fp32 numbers near 1/2; the factor of SiLU is exact to the ulp until it is flushed below the least
// normal.
long double gate_slack(Activation activation, long double x, long double y) {
  if (!derivative_needs_input(activation)) return 0;
  if (activation == Activation::silu) return std::fabs(x) * kLeastNormal;
  return y / x < 0.25L ? std::fabs(x) * 0x1.8p-24L : 0;
}

struct Worst {
  double ulps = 0;
  std::size_t at = 0;
  void see(double error, std::size_t i) {
    if (error > ulps) ulps = error, at = i;
  }
};

TEST_CASE("kernels: activations are within 4 ulp over the whole range") {
  const AlignedBuffer<float> x = samples();
  std::vector<long double> expected(x.size());
  for (Activation activation : kEachActivation) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected[i] = reference_activation(activation, static_cast<long double>(x[i]));
    }
    for_each_runnable_isa([&](const KernelTable& kernels) {
      AlignedBuffer<float> y(x.size());
      {
        const FpEnvGuard guard;
        kernels.activation_forward(activation, x.size(), x.data(), y.data());
      }
      Worst everywhere, checked;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y[i], expected[i]);
        everywhere.see(error, i);
        if (!(std::fabs(y[i] - expected[i]) <= gate_slack(activation, x[i], expected[i]))) checked.see(error, i);
      }
      std::printf("ulp %-10s %-12s %.2f at x = %.9g; everywhere %.3g at x = %.9g\n", label(activation), kernels.name,
                  checked.ulps, static_cast<double>(x[checked.at]), everywhere.ulps,
                  static_cast<double>(x[everywhere.at]));
      CHECK_MESSAGE(checked.ulps <= 4, std::string(kernels.name), " ", std::string(label(activation)), " x ",
                    x[checked.at], ": ", y[checked.at], " is not ", static_cast<double>(expected[checked.at]));
    });
  }
}

// What BackwardEpilogue::saved holds for an input.
float saved_of(Activation activation, float x) {
  if (activation == Activation::identity || derivative_needs_input(activation)) return x;
  return static_cast<float>(reference_activation(activation, static_cast<long double>(x)));
}

long double derivative_from_saved(Activation activation, long double saved) {
  switch (activation) {
    case Activation::relu:
      return saved > 0 ? 1 : 0;
    case Activation::tanh:
      return 1 - saved * saved;
    case Activation::sigmoid:
      return saved * (1 - saved);
    default:
      return reference_derivative(activation, saved);
  }
}

TEST_CASE("kernels: derivatives within 1e-6 of the formula") {
  const AlignedBuffer<float> x = samples();
  AlignedBuffer<float> saved(x.size()), d(x.size());
  std::vector<double> expected(x.size());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = i % 3 == 0 ? 1.0f : i % 3 == 1 ? -0.75f : 1000.0f;
  for (Activation activation : kEachActivation) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      saved[i] = saved_of(activation, x[i]);
      expected[i] = static_cast<double>(derivative_from_saved(activation, static_cast<long double>(saved[i])));
    }
    for_each_runnable_isa([&](const KernelTable& kernels) {
      AlignedBuffer<float> out(x.size());
      {
        const FpEnvGuard guard;
        kernels.activation_backward(activation, x.size(), saved.data(), d.data(), out.data());
      }
      Mismatches wrong;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = std::fabs(static_cast<double>(out[i]) / static_cast<double>(d[i]) - expected[i]);
        if (!(error <= 1e-6)) {
          wrong.add(kernels.name, " ", label(activation), "' at ", saved[i], ": ", out[i] / d[i], " not ", expected[i]);
        }
      }
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

TEST_CASE("kernels: activations at zero, infinity and NaN") {
  const float in[] = {0.0f,   -0.0f, kInf,  -kInf, kNan, float_of(0xffc12345), float_of(0x7f800001),
                      1e-40f, 3e38f, -3e38f};
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Activation activation : kEachActivation) {
      float out[10], slope[10], one[10];
      for (float& v : one) v = 1.0f;
      kernels.activation_forward(activation, 10, in, out);
      kernels.activation_backward(activation, 10, in, one, slope);
      const bool gate = derivative_needs_input(activation);
      const bool linear = activation == Activation::identity || activation == Activation::relu || gate;
      const float top = linear ? kInf : 1.0f;
      const float zero = activation == Activation::sigmoid ? 0.5f : 0.0f;
      auto expect = [&](std::size_t i, bool ok) {
        if (!ok)
          wrong.add(kernels.name, " ", label(activation), " of ", in[i], " gives ", out[i], ", slope ", slope[i]);
      };
      expect(0, out[0] == zero);
      expect(1, out[1] == zero);
      expect(2, out[2] == top);
      const float bottom = activation == Activation::identity ? -kInf : activation == Activation::tanh ? -1.0f : 0.0f;
      // A gate of -inf is -inf times zero: NaN, or the limit.
      expect(3, out[3] == bottom || (gate && std::isnan(out[3])));
      for (std::size_t i = 4; i < 7; ++i) expect(i, std::isnan(out[i]));
      expect(7, out[7] == zero || bits_of(out[7]) == bits_of(in[7]));
      expect(8, out[8] == (linear ? 3e38f : 1.0f));
      expect(9, activation == Activation::identity || out[9] == bottom);
      for (std::size_t i = 4; i < 7 && activation != Activation::identity; ++i) expect(i, std::isnan(slope[i]));
      for (float& v : one) v = kNan;
      for (float saved : {0.5f, 0.25f}) {
        float d[1];
        kernels.activation_backward(activation, 1, &saved, one, d);
        if (!std::isnan(d[0])) wrong.add(kernels.name, " ", label(activation), " backward loses a NaN: ", d[0]);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: activations have the same bits on every ISA and at every length") {
  const KernelTable& scalar = *isas().front().table;
  const AlignedBuffer<float> x = samples();
  AlignedBuffer<float> expected(x.size()), slope(x.size());
  for (Activation activation : kEachActivation) {
    {
      const FpEnvGuard guard;
      scalar.activation_forward(activation, x.size(), x.data(), expected.data());
      scalar.activation_backward(activation, x.size(), x.data(), x.data(), slope.data());
    }
    for_each_runnable_isa([&](const KernelTable& kernels) {
      AlignedBuffer<float> out(x.size()), back(x.size());
      Mismatches wrong;
      const FpEnvGuard guard;
      kernels.activation_forward(activation, x.size(), x.data(), out.data());
      kernels.activation_backward(activation, x.size(), x.data(), x.data(), back.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (!same_bits(out[i], expected[i]) || !same_bits(back[i], slope[i])) {
          wrong.add(kernels.name, " ", label(activation), " of ", x[i], ": ", out[i], " not ", expected[i],
                    ", backward ", back[i], " not ", slope[i]);
        }
      }
      for (std::size_t n = 0; n <= 70; ++n) {
        std::vector<float> part(n + 16, 77.0f);
        const std::size_t at = x.size() - 500 + n;
        kernels.activation_forward(activation, n, x.data() + at, part.data());
        for (std::size_t i = 0; i < part.size(); ++i) {
          if (!same_bits(part[i], i < n ? expected[at + i] : 77.0f)) {
            wrong.add(kernels.name, " ", label(activation), " n ", n, " at ", i, ": ", part[i]);
          }
        }
      }
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

}  // namespace
