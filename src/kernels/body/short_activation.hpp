// Activations whose results are rounded to 16 bits, in few instructions: before that rounding they are less than 0.002
// of storage's last place off, in bf16 as in fp16. Polynomials are of the least largest relative error (Lawson's
// iteratively reweighted least squares), given in brackets.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// a b = n + r with n = round(a b); scale = 2^(n + Lift), which the caller keeps among the normal numbers.
template <int Lift>
HS_INLINE Reduced reduce_base2(const Wide& a, const Wide& b) {
  const Wide magic = set(12583039.0f + Lift);  // as in reduce_with
  const Wide shifted = fma(a, b, magic);
  return {fms(a, b, shifted - magic), from_bits(shift_left<23>(bits(shifted)))};
}

// 2^r for |r| <= 1/2 (1.1e-7).
HS_INLINE Wide exp2_reduced(const Wide& r) {
  return horner(r, 0.00132647273f, 0.00967151299f, 0.0555073358f, 0.240222424f, 0.693147004f, 1.0f);
}

// 2^r - 1 for |r| <= 1/2, from (2^r - 1) / r (4.7e-7): it keeps its digits near zero.
HS_INLINE Wide exp2m1_reduced(const Wide& r) {
  return r * horner(r, 0.00133335381f, 0.00966624543f, 0.0555050038f, 0.240223512f, 0.693147123f);
}

HS_INLINE Wide clamp(const Wide& x, float low, float high) { return less_of(set(high), at_least(low, x)); }

// The slope of x sigmoid(g(x)) is s (1 + (1 - s) m) with s = 1 / (1 + 2^z), z = -g(x) / ln 2, m = x g'(x). 2^z is kept
// 2^-kDown times its size: it overflows before the slope is below the least normal.
struct GateSlope {
  static constexpr int kDown = 16;
  Wide m;
  Reduced z;  // with a lift of -kDown
  HS_INLINE Wide times(const Wide& d) const {
    const Wide lowered = exp2_reduced(z.r) * z.scale;
    const Wide raised = set(1.0f) / (lowered + set(0x1p-16f));
    return d * (raised * fma(m, lowered * raised, set(1.0f)) * set(0x1p-16f));
  }
};

// max(x, 0) + below s with s = 2^z / (1 + 2^z), the second term kept 2^kUp times its size until the end: small numbers
// add up to one below the least normal. z with a lift of kUp.
inline constexpr int kUp = 16;
HS_INLINE Wide short_gate(const Wide& x, const Wide& below, const Reduced& z) {
  const Wide p = exp2_reduced(z.r);
  const Wide left = below * p * z.scale / fma(p, z.scale * set(0x1p-16f), set(1.0f));
  return fma(left, set(0x1p-16f), at_least(0.0f, x));
}

inline constexpr float kLog2E = 1.44269502f;

// Act itself where there is nothing shorter.
template <Activation A>
struct Shortened {
  using Type = Act<A>;
};
template <Activation A>
using ShortAct = typename Shortened<A>::Type;

// Q(a) = 2^z M(a) as in normal.hpp; here M(a) = r P(r) with r = 1 / (a + k), k such that the eighth degree vanishes
// (6e-8 up to 4.1, 3e-7 up to 13.4). All of M is 2^-8 times its size, and 2^z so much larger.
struct ShortGelu {
  static constexpr float kMiddle = 3.34375f;
  static constexpr float kDensity = 0.00155836833f;  // 2^-8 / sqrt(2 pi)
  struct Tail {
    Wide below, p, scale, ratio;  // -|x|, no further down than where all is zero
  };
  static HS_INLINE Tail tail(const Wide& x) {
    const Wide below = at_least(-13.4f, minus_abs(x));
    const Reduced z = reduce_base2<8>(below * below, set(-0.721347511f));
    const Wide r = set(1.0f) / (set(kMiddle) - below);
    const Wide ratio = r * horner(r, 2.26534677f, -3.00768375f, 1.21178818f, -0.110147022f, 0.0662414357f,
                                  0.0142467786f, 0.00527152326f, 0.00155741174f);
    return {below, exp2_reduced(z.r), z.scale, ratio};
  }
  static HS_INLINE Wide forward(const Wide& x) {
    const Tail t = tail(x);
    return fma(t.below * t.scale, t.ratio * t.p, at_least(0.0f, x));
  }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Tail t = tail(x);
    return d * mirrored(x, fma(t.below, set(kDensity), t.ratio) * t.p * t.scale);
  }
};
template <>
struct Shortened<Activation::gelu> {
  using Type = ShortGelu;
};

// g(x) = x (a + b x^2) as in Act; the bracket's rest is for fp16.
struct ShortGeluTanh {
  static constexpr float kA = 1.59576917f, kB3 = 0.214064449f;           // a, 3b
  static constexpr float kABase2 = 2.30220819f, kBBase2 = 0.102943242f;  // a / ln 2, b / ln 2
  // x (a + b square) for `a` and `b` of either sign.
  template <int Lift>
  static HS_INLINE Reduced reduced(const Wide& x, const Wide& square, float a, float b) {
    const Wide bracket = fma(square, set(b), set(a)), rest = fma(square, set(b), set(a) - bracket);
    const Reduced z = reduce_base2<Lift>(x, bracket);
    return {fma(x, rest, z.r), z.scale};
  }
  static HS_INLINE Wide forward(const Wide& x) {
    const Wide below = at_least(-10.25f, minus_abs(x));
    return short_gate(x, below, reduced<kUp>(below, below * below, kABase2, kBBase2));
  }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Wide c = clamp(x, -10.25f, 7.0f), square = c * c;
    const Wide m = c * fma(square, set(kB3), set(kA));
    return GateSlope{m, reduced<-GateSlope::kDown>(c, square, -kABase2, -kBBase2)}.times(d);
  }
};
template <>
struct Shortened<Activation::gelu_tanh> {
  using Type = ShortGeluTanh;
};

struct ShortSilu {
  static HS_INLINE Wide forward(const Wide& x) {
    const Wide below = at_least(-93.0f, minus_abs(x));
    return short_gate(x, below, reduce_base2<kUp>(below, set(kLog2E)));
  }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Wide c = clamp(x, -93.0f, 32.0f);
    return GateSlope{c, reduce_base2<-GateSlope::kDown>(c, set(-kLog2E))}.times(d);
  }
};
template <>
struct Shortened<Activation::silu> {
  using Type = ShortSilu;
};

struct ShortSigmoid : Act<Activation::sigmoid> {
  static HS_INLINE Wide forward(const Wide& x) {
    const Reduced z = reduce_base2<0>(clamp(x, -88.0f, 88.0f), set(-kLog2E));
    return set(1.0f) / fma(exp2_reduced(z.r), z.scale, set(1.0f));
  }
};
template <>
struct Shortened<Activation::sigmoid> {
  using Type = ShortSigmoid;
};

// u / (2 - u) with u = 1 - 2^z, z = -2|x| / ln 2.
struct ShortTanh : Act<Activation::tanh> {
  static HS_INLINE Wide forward(const Wide& x) {
    const Reduced z = reduce_base2<0>(at_least(-10.0f, minus_abs(x)), set(2 * kLog2E));
    const Wide u = fnma(z.scale, exp2m1_reduced(z.r), set(1.0f) - z.scale);
    return with_sign_of(u / (set(2.0f) - u), x);
  }
};
template <>
struct Shortened<Activation::tanh> {
  using Type = ShortTanh;
};

// max(x, 0) + 2^z - 1 with z = min(x, 0) / ln 2.
struct ShortElu : Act<Activation::elu> {
  static HS_INLINE Wide forward(const Wide& x) {
    const Reduced z = reduce_base2<0>(clamp(x, -64.0f, 0.0f), set(kLog2E));
    return fma(z.scale, exp2m1_reduced(z.r), at_least(0.0f, x) + (z.scale - set(1.0f)));
  }
};
template <>
struct Shortened<Activation::elu> {
  using Type = ShortElu;
};

// max(x, 0) + log(1 + e) with e = exp(-|x|), from log(1 + e) / e (1.9e-7). e is zero where it is below the least
// normal.
struct ShortSoftplus {
  static HS_INLINE Wide forward(const Wide& x) {
    const Reduced z = reduce_base2<0>(at_least(-88.0f, minus_abs(x)), set(kLog2E));
    const Wide e = exp2_reduced(z.r) * z.scale;
    const Wide ratio = horner(e, -0.00853920635f, 0.0440896228f, -0.107681707f, 0.1774524f, -0.244954631f, 0.332754791f,
                              -0.499974042f, 0.999999821f);
    return fma(e, ratio, at_least(0.0f, x));
  }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) {
    const Reduced z = reduce_base2<0>(at_least(-64.0f, set(0.0f) - y), set(kLog2E));
    return d * fnma(z.scale, exp2m1_reduced(z.r), set(1.0f) - z.scale);
  }
};
template <>
struct Shortened<Activation::softplus> {
  using Type = ShortSoftplus;
};

}  // namespace halfstep::internal::HS_NAMESPACE
