// Activations and their derivatives. backward(saved, d) is d times the derivative; `saved` is the input for the
// two GELUs and SiLU (derivative_needs_input), the output for the others. NaN goes through in both directions.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

template <Activation A>
struct Act;

template <>
struct Act<Activation::identity> {
  static HS_INLINE Wide forward(const Wide& x) { return x; }
  static HS_INLINE Wide backward(const Wide&, const Wide& d) { return d; }
};

template <>
struct Act<Activation::relu> {
  static HS_INLINE Wide forward(const Wide& x) { return at_least(0.0f, x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return select_greater(y, set(0.0f), d, d * y); }
};

// x Phi(x) with the distribution function of the normal distribution (Hendrycks and Gimpel, 2016), as max(x, 0) - |x|
// Q(|x|): the left tail keeps its digits.
template <>
struct Act<Activation::gelu> {
  static constexpr float kDensity = 0.398942292f, kDensityRest = -1.13351702e-8f;  // 1 / sqrt(2 pi)
  static HS_INLINE Wide forward(const Wide& x) {
    const NormalTail tail = normal_tail(x);
    const Wide a = tail.a * tail.scale;
    const Wide product = a * tail.ratio;
    const Wide rest = fma(a, tail.ratio_rest, fms(a, tail.ratio, product));
    const Wide step = tail.t + fma(tail.step, tail.t, tail.step + tail.t_rest);
    const Wide left = product + fma(product, step, fma(rest, tail.t, rest));
    return fma(left, set(-kLower), at_least(0.0f, x));
  }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const NormalTail tail = normal_tail(x);
    const Wide bend = fma(tail.a, set(-kDensity), tail.ratio);  // M(a) - a / sqrt(2 pi)
    const Wide rest = fma(tail.ratio, tail.step, tail.ratio_rest) +
                      fma(tail.a, set(-kDensityRest), fma(tail.a, set(-kDensity), tail.ratio - bend));
    const Wide left = bend + fma(bend, tail.t, fma(bend, tail.t_rest, fma(rest, tail.t, rest)));
    return d * mirrored(x, left * tail.scale * set(kLower));
  }
};

// The tanh form x/2 (1 + tanh(u)) is x sigmoid(2u), 2u = x (a + b x^2) with a = 2 sqrt(2/pi), b = 0.044715 a; its
// derivative is a + 3b x^2. An error of 2u is one of the exponential's argument, so x^2, a and b come in two parts, and
// the first ones are such that their bracket is exact.
template <>
struct Act<Activation::gelu_tanh> {
  static constexpr float kFloor = -10.5f;                              // beyond it the result is below the least normal
  static constexpr float kA = 1.59576988f, kARest = -7.60596418e-07f;  // multiple of 2^-19
  static constexpr float kB = 0.0713500977f, kBRest = 4.7186163e-06f, kBWhole = 0.0713548163f;     // of 2^-14
  static constexpr float kB3 = 0.214111328f, kB3Rest = -4.68793072e-05f, kB3Whole = 0.214064449f;  // of 2^-13
  struct Argument {
    Wide below, grid, square_rest;  // -|x|; x^2 = grid + square_rest, grid a multiple of 2^-6
    HS_INLINE Wide bracket(float b) const { return fma(grid, set(b), set(kA)); }
    HS_INLINE Wide bracket_rest(float b_rest, float b) const {
      return fma(grid, set(b_rest), fma(square_rest, set(b), set(kARest)));
    }
  };
  static HS_INLINE Argument split(const Wide& x) {
    const Wide below = at_least(kFloor, minus_abs(x));
    const Wide magic = set(196608.0f);  // 1.5 * 2^17: adding it rounds to a multiple of 2^-6
    const Wide grid = fma(below, below, magic) - magic;
    return {below, grid, fms(below, below, grid)};
  }
  static HS_INLINE Logistic parts(const Argument& u) {
    const Wide bracket = u.bracket(kB);
    const Wide z = u.below * bracket;
    const Wide z_rest = fma(u.below, u.bracket_rest(kBRest, kBWhole), fms(u.below, bracket, z));
    return logistic(reduce<kLift>(z, z_rest));
  }
  static HS_INLINE Wide forward(const Wide& x) {
    const Argument u = split(x);
    return gate(x, u.below, parts(u));
  }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Argument u = split(x);
    const Wide slope = u.bracket(kB3);
    const Wide m = u.below * slope;
    const Wide m_rest = fma(u.below, u.bracket_rest(kB3Rest, kB3Whole), fms(u.below, slope, m));
    return d * mirrored(x, gate_slope(parts(u), m, m_rest));
  }
};

template <>
struct Act<Activation::silu> {
  static HS_INLINE Wide below(const Wide& x) { return at_least(-128.0f, minus_abs(x)); }
  static HS_INLINE Wide forward(const Wide& x) { return gate(x, below(x), logistic(reduce<kLift>(below(x)))); }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    return d * mirrored(x, gate_slope(logistic(reduce<kLift>(below(x))), below(x), set(0.0f)));
  }
};

template <>
struct Act<Activation::tanh> {
  static HS_INLINE Wide forward(const Wide& x) { return halfstep::internal::HS_NAMESPACE::tanh(x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return d * fnma(y, y, set(1.0f)); }
};

template <>
struct Act<Activation::sigmoid> {
  static HS_INLINE Wide forward(const Wide& x) { return halfstep::internal::HS_NAMESPACE::sigmoid(x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return d * fnma(y, y, y); }
};

template <>
struct Act<Activation::leaky_relu> {
  static constexpr float kSlope = 0.01f;
  static HS_INLINE Wide forward(const Wide& x) { return select_greater(x, set(0.0f), x, x * set(kSlope)); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) {
    const Wide low = d * set(kSlope);
    return select_greater(y, set(0.0f), d, select_greater(set(0.0f), y, low, low + y));  // y is 0 or NaN in the sum
  }
};

// exp(x) - 1 below zero (Clevert, Unterthiner and Hochreiter, 2016); the derivative there is y + 1.
template <>
struct Act<Activation::elu> {
  static HS_INLINE Wide forward(const Wide& x) { return select_greater(set(0.0f), x, expm1_negative(x), x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return select_greater(y, set(0.0f), d, fma(d, y, d)); }
};

// log(1 + exp(x)) as max(x, 0) + log1p(exp(-|x|)); the derivative, sigmoid(x), is 1 - exp(-y).
template <>
struct Act<Activation::softplus> {
  static HS_INLINE Wide forward(const Wide& x) {
    const Reduced part = reduce<kLift>(at_least(-128.0f, minus_abs(x)));
    const Wide t = expm1_reduced(part.r);
    const Wide e = fma(part.scale, t, part.scale) * set(kLower);
    Wide rest;
    const Wide ratio = part.scale * log1p_ratio(e, rest);
    const Wide left = ratio + fma(ratio, t, part.scale * rest);
    return fma(left, set(kLower), at_least(0.0f, x));
  }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) {
    return d * (set(0.0f) - expm1_negative(set(0.0f) - y));
  }
};

// scale x, or scale alpha (exp(x) - 1) below zero; the derivative there is y + scale alpha (Klambauer et al., 2017).
template <>
struct Act<Activation::selu> {
  static constexpr float kScale = 1.05070102f;
  static constexpr float kDepth = 1.75809932f, kDepthRest = 2.32967174e-08f;  // scale alpha, in two parts
  static HS_INLINE Wide forward(const Wide& x) {
    return select_greater(set(0.0f), x, expm1_negative(x) * set(kDepth), x * set(kScale));
  }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) {
    const Wide low = (y + set(kDepth)) + set(kDepthRest);
    return d * select_greater(y, set(0.0f), set(kScale), low);
  }
};

}  // namespace halfstep::internal::HS_NAMESPACE
