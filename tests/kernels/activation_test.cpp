#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/sweep.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// Values at 0, inf and -inf.
struct Limits {
  float zero, top, bottom;
};

Limits limits_of(Activation activation) {
  switch (activation) {
    case Activation::identity:
      return {0, kInf, -kInf};
    case Activation::leaky_relu:
      return {0, kInf, -kInf};
    case Activation::tanh:
      return {0, 1, -1};
    case Activation::sigmoid:
      return {0.5f, 1, 0};
    case Activation::elu:
      return {0, kInf, -1};
    case Activation::softplus:
      return {0.693147181f, kInf, 0};
    case Activation::selu:
      return {0, kInf, -1.75809932f};
    default:
      return {0, kInf, 0};
  }
}

std::size_t index(Dtype dtype) { return static_cast<std::size_t>(dtype); }

// Each activation as results in fp32 take it, and as those in bf16 or fp16 do where that is something else.
std::vector<std::pair<Activation, Dtype>> each_formula() {
  std::vector<std::pair<Activation, Dtype>> out;
  for (Activation activation : kEachActivation) out.emplace_back(activation, Dtype::fp32);
  using enum Activation;
  for (Activation activation : {gelu, gelu_tanh, silu, tanh, sigmoid, elu, softplus})
    out.emplace_back(activation, Dtype::bf16);
  return out;
}

// The slope far out on either side.
float slope_of(Activation activation, bool right) {
  if (activation == Activation::identity) return 1;
  if (activation == Activation::leaky_relu) return right ? 1 : 0.01f;
  // On the left what -1.75809932 is short of the limit that fp32 has no number for.
  if (activation == Activation::selu) return right ? 1.05070102f : 2.32967174e-08f;
  return right && limits_of(activation).top > 1 ? 1 : 0;
}

// What BackwardEpilogue::saved holds for an infinite input.
float saved_of(Activation activation, float x) {
  if (derivative_needs_input(activation)) return x;
  return x > 0 ? limits_of(activation).top : limits_of(activation).bottom;
}

TEST_CASE("kernels: activations at zero, infinity and NaN") {
  const float nans[] = {kNan, float_of(0xffc12345), float_of(0x7f800001)};
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const auto& [activation, dtype] : each_formula()) {
      const Limits limits = limits_of(activation);
      auto value = [&, activation = activation, type = index(dtype)](float x) {
        float y;
        kernels.activate[type](activation, 1, &x, &y);
        return y;
      };
      auto slope = [&, activation = activation, type = index(dtype)](float saved, float d) {
        kernels.differentiate[type](activation, 1, &saved, &d, &d);
        return d;
      };
      auto expect = [&, activation = activation, dtype = dtype](const char* what, bool ok, float got) {
        if (!ok) wrong.add(kernels.name, " ", label(activation), " for ", name(dtype), " ", what, ": ", got);
      };
      for (float zero : {0.0f, -0.0f, 1e-40f, -1e-40f}) {
        const float y = value(zero);
        // log(2) is no fp32 number: results that will be rounded again may be a last place off.
        const bool near =
            dtype != Dtype::fp32 && activation == Activation::softplus && std::fabs(y - limits.zero) <= 2e-7f;
        expect("of 0", y == limits.zero || near || (limits.zero == 0 && std::fabs(y) <= 1e-40f), y);
      }
      expect("of inf", value(kInf) == limits.top, value(kInf));
      expect("of -inf", value(-kInf) == limits.bottom, value(-kInf));
      const float large = limits.top > 1 ? 3e38f * slope_of(activation, true) : 1.0f;
      expect("of 3e38", value(3e38f) == large, value(3e38f));
      for (float nan : nans) {
        expect("of NaN", std::isnan(value(nan)), value(nan));
        if (activation != Activation::identity) expect("slope of NaN", std::isnan(slope(nan, 1)), slope(nan, 1));
        for (float saved : {0.5f, 0.25f, 0.0f})
          expect("slope times NaN", std::isnan(slope(saved, nan)), slope(saved, nan));
      }
      const float right = slope(saved_of(activation, kInf), 3), left = slope(saved_of(activation, -kInf), 3);
      expect("slope at inf", right == 3 * slope_of(activation, true), right);
      expect("slope at -inf", left == 3 * slope_of(activation, false), left);
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: the backward pass multiplies by the derivative") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    const AlignedBuffer<float> saved = random_floats(1000, 6);
    for (const auto& [activation, dtype] : each_formula()) {
      const auto differentiate = kernels.differentiate[index(dtype)];
      for (float factor : {1.0f, -0.7f, 1e30f, -3e-20f}) {
        std::vector<float> slope(saved.size(), 1.0f), d(saved.size(), factor);
        differentiate(activation, saved.size(), saved.data(), slope.data(), slope.data());
        differentiate(activation, saved.size(), saved.data(), d.data(), d.data());
        for (std::size_t i = 0; i < d.size(); ++i) {
          const double want = static_cast<double>(slope[i]) * static_cast<double>(factor);
          if (!(std::fabs(static_cast<double>(d[i]) - want) <= 0x1p-23 * std::fabs(want))) {
            wrong.add(kernels.name, " ", label(activation), " at ", saved[i], " times ", factor, ": ", d[i]);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: activations have the same bits on every ISA and at every length") {
  const KernelTable& scalar = *isas().front().table;
  const AlignedBuffer<float> x = sweep();
  AlignedBuffer<float> expected(x.size()), slope(x.size());
  for (const auto& formula : each_formula()) {
    const Activation activation = formula.first;
    const std::size_t type = index(formula.second);
    {
      const FpEnvGuard guard;
      scalar.activate[type](activation, x.size(), x.data(), expected.data());
      scalar.differentiate[type](activation, x.size(), x.data(), x.data(), slope.data());
    }
    for_each_runnable_isa([&](const KernelTable& kernels) {
      AlignedBuffer<float> out(x.size()), back(x.size());
      Mismatches wrong;
      const FpEnvGuard guard;
      kernels.activate[type](activation, x.size(), x.data(), out.data());
      kernels.differentiate[type](activation, x.size(), x.data(), x.data(), back.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (!same_bits(out[i], expected[i]) || !same_bits(back[i], slope[i])) {
          wrong.add(kernels.name, " ", label(activation), " of ", x[i], ": ", out[i], " not ", expected[i],
                    ", backward ", back[i], " not ", slope[i]);
        }
      }
      for (std::size_t n = 0; n <= 70; ++n) {
        std::vector<float> part(n + 16, 77.0f), back_part = part;
        const std::size_t at = x.size() - 500 + n;
        kernels.activate[type](activation, n, x.data() + at, part.data());
        kernels.differentiate[type](activation, n, x.data() + at, x.data() + at, back_part.data());
        for (std::size_t i = 0; i < part.size(); ++i) {
          if (!same_bits(part[i], i < n ? expected[at + i] : 77.0f) ||
              !same_bits(back_part[i], i < n ? slope[at + i] : 77.0f)) {
            wrong.add(kernels.name, " ", label(activation), " n ", n, " at ", i, ": ", part[i], ", ", back_part[i]);
          }
        }
      }
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

std::vector<std::pair<Activation, Dtype>> each_of_16_bits() {
  std::vector<std::pair<Activation, Dtype>> out;
  for (Activation activation : kEachActivation) {
    for (Dtype dtype : {Dtype::bf16, Dtype::fp16}) out.emplace_back(activation, dtype);
  }
  return out;
}

// Every number of the type, among which NaN, infinities and subnormals, or some in a quick run; d in another order.
TEST_CASE("kernels: activations from storage to storage are those of fp32, rounded") {
  std::vector<std::uint16_t> x(sized(0x10000)), d(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<std::uint16_t>(i * 40503);
    d[i] = static_cast<std::uint16_t>(i * 25173 + 77);
  }
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const auto& [activation, dtype] : each_of_16_bits()) {
      const std::size_t type = index(dtype);
      std::vector<float> wide_x(x.size()), wide_d(x.size());
      kernels.to_fp32[type](x.size(), x.data(), wide_x.data());
      kernels.to_fp32[type](d.size(), d.data(), wide_d.data());
      kernels.differentiate[type](activation, x.size(), wide_x.data(), wide_d.data(), wide_d.data());
      kernels.activate[type](activation, x.size(), wide_x.data(), wide_x.data());
      std::vector<std::uint16_t> y(x.size()), slope(x.size());
      kernels.from_fp32[type](x.size(), wide_x.data(), y.data());
      kernels.from_fp32[type](x.size(), wide_d.data(), slope.data());
      const auto check = [&, dtype = dtype, activation = activation](const char* what, const std::uint16_t* got,
                                                                     const std::uint16_t* want, std::size_t i) {
        if (got[i] == want[i] || (std::isnan(get(dtype, got, i)) && std::isnan(get(dtype, want, i)))) return;
        wrong.add(kernels.name, " ", label(activation), " ", name(dtype), what, i, ": ", got[i], " not ", want[i]);
      };
      std::vector<std::uint16_t> got(x.size()), got_slope(x.size());
      kernels.activate_stored[type](activation, x.size(), x.data(), got.data());
      kernels.differentiate_stored[type](activation, x.size(), x.data(), d.data(), got_slope.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        check(" at ", got.data(), y.data(), i);
        check(" slope at ", got_slope.data(), slope.data(), i);
      }
      for (std::size_t n = 0; n <= 70; ++n) {  // in place, at odd addresses; what lies behind stays
        const std::size_t at = x.size() / 4 + n;
        std::copy_n(x.data() + at, n + 16, got.data() + 1);
        std::copy_n(d.data() + at, n + 16, got_slope.data() + 1);
        kernels.differentiate_stored[type](activation, n, got.data() + 1, got_slope.data() + 1, got_slope.data() + 1);
        kernels.activate_stored[type](activation, n, got.data() + 1, got.data() + 1);
        for (std::size_t i = 0; i < n + 16; ++i) {
          check(" of a part at ", got.data() + 1, i < n ? y.data() + at : x.data() + at, i);
          check(" slope of a part at ", got_slope.data() + 1, i < n ? slope.data() + at : d.data() + at, i);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
