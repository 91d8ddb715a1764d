// The logistic function 1 / (1 + exp(-x)) in parts: whoever multiplies by it rounds once more and no oftener.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Exponentials that fall below the least normal while their product with something large does not are kept 2^64 times
// too large until the end.
inline constexpr int kLift = 64;
inline constexpr float kLower = 0x1p-64f;

// With e = exp(x), x <= 0:  1 / (1 + e) = inverse (1 + high),  e / (1 + e) = inverse (1 + low) scale kLower.
struct Logistic {
  Wide inverse, high, low, scale;
};
HS_INLINE Logistic logistic(const Reduced& x) {
  const Wide t = expm1_reduced(x.r);
  const Wide s = x.scale * set(kLower);
  const Wide one = set(1.0f);
  const Wide d = fma(s, t, one + s), d_rest = fma(s, t, s - (d - one));
  const Wide inverse = one / d;
  const Wide high = fnma(d_rest, inverse, fnma(d, inverse, one));  // one step of Newton's
  return {inverse, high, t + fma(high, t, high), x.scale};
}

HS_INLINE Wide sigmoid(const Wide& x) {
  const Logistic p = logistic(reduce<kLift>(at_least(-128.0f, minus_abs(x))));
  const Wide step = select_greater(set(0.0f), x, p.low, p.high);
  return fma(p.inverse, step, p.inverse) * select_greater(set(0.0f), x, p.scale * set(kLower), set(1.0f));
}

// x sigmoid(g(x)) for an odd rising g, as max(x, 0) + below sigmoid(-|g(x)|): below = -|x|, but no further down than
// where all is zero; p are the parts of -|g(x)|.
HS_INLINE Wide gate(const Wide& x, const Wide& below, const Logistic& p) {
  const Wide scaled = below * p.scale;
  const Wide whole = scaled * p.inverse;
  const Wide rest = fms(scaled, p.inverse, whole);
  const Wide left = whole + fma(whole, p.low, fma(rest, p.low, rest));
  return fma(left, set(kLower), at_least(0.0f, x));
}

// The derivative of gate at -|x|: s (1 + (1 - s) m) with s = sigmoid(-|g(x)|), m + m_rest = below g'(x). That at |x| is
// one minus it.
HS_INLINE Wide gate_slope(const Logistic& p, const Wide& m, const Wide& m_rest) {
  const Wide ratio = m * p.inverse, bend = ratio + set(1.0f);
  const Wide ratio_rest = fma(p.inverse, fma(m, p.high, m_rest), fms(m, p.inverse, ratio));
  const Wide bend_rest = ratio_rest + (ratio - (bend - set(1.0f)));
  const Wide product = p.inverse * bend;
  const Wide rest = fma(p.inverse, bend_rest, fms(p.inverse, bend, product));
  return (product + fma(product, p.low, fma(rest, p.low, rest))) * p.scale * set(kLower);
}

// A function f with f(x) + f(-x) = 1 from its value for -|x|.
HS_INLINE Wide mirrored(const Wide& x, const Wide& below) {
  return select_greater(set(0.0f), x, below, set(1.0f) - below);
}

}  // namespace halfstep::internal::HS_NAMESPACE
