// Elementary functions on 16 lanes, fp32 in and out. Polynomials were fitted for the kernels (iteratively reweighted
// least squares at Chebyshev nodes); each operation is written out, so every ISA gives the same bits.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Horner's scheme, coefficients from the highest degree down.
template <class... C>
HS_INLINE Wide horner(const Wide& x, float first, C... rest) {
  Wide p = set(first);
  ((p = fma(p, x, set(rest))), ...);
  return p;
}

HS_INLINE Wide minus_abs(const Wide& x) { return from_bits(bits(x) | set_bits(0x80000000u)); }

// max(x, low); NaN stays.
HS_INLINE Wide at_least(float low, const Wide& x) { return greater_of(set(low), x); }

// x = n ln 2 + r with n = round(x / ln 2); scale = 2^(n + Lift), which the caller keeps among the normal numbers. With
// a small `rest`, x + rest = n ln 2 + r. ln 2 has two parts, n times the first is exact.
struct Reduced {
  Wide r, scale;
};
inline constexpr float kLn2 = 0.693148613f, kLn2Rest = -1.43241618e-6f;
template <int Lift, class F>
HS_INLINE Reduced reduce_with(const Wide& x, F finish) {
  const Wide magic = set(12583039.0f + Lift);  // 1.5 * 2^23: adding it rounds to an integer; 127: the exponent's bias
  const Wide shifted = fma(x, set(1.44269504f), magic);
  const Wide n = shifted - magic;
  return {finish(n, fma(n, set(-kLn2), x)), from_bits(shift_left<23>(bits(shifted)))};
}
template <int Lift>
HS_INLINE Reduced reduce(const Wide& x) {
  return reduce_with<Lift>(x, [](const Wide& n, const Wide& r) HS_INLINED { return fma(n, set(-kLn2Rest), r); });
}
template <int Lift>
HS_INLINE Reduced reduce(const Wide& x, const Wide& rest) {
  return reduce_with<Lift>(x,
                           [&](const Wide& n, const Wide& r) HS_INLINED { return r + fma(n, set(-kLn2Rest), rest); });
}

// exp(r) - 1 for |r| < 0.4; `rest` takes what its last rounding lost.
HS_INLINE Wide expm1_reduced(const Wide& r, Wide& rest) {
  const Wide square = r * r;
  const Wide q = horner(r, 0.000197402449f, 0.00139350782f, 0.00833357032f, 0.041666463f, 0.166666657f, 0.5f);
  const Wide t = fma(square, q, r);
  rest = fma(square, q, r - t);
  return t;
}
HS_INLINE Wide expm1_reduced(const Wide& r) {
  Wide rest;
  return expm1_reduced(r, rest);
}

// exp(x) for x <= 0; zero where it is below the least normal.
HS_INLINE Wide exp_negative(const Wide& x) {
  const Reduced e = reduce<0>(at_least(-88.0f, x));  // below that its scale is 0
  return (expm1_reduced(e.r) + set(1.0f)) * e.scale;
}

// exp(x) - 1 for x <= 0.
HS_INLINE Wide expm1_negative(const Wide& x) {
  const Reduced e = reduce<0>(at_least(-64.0f, x));
  return fma(e.scale, expm1_reduced(e.r), e.scale - set(1.0f));
}

// log(1 + e) / e for 0 <= e <= 1; `rest` takes what its last rounding lost.
HS_INLINE Wide log1p_ratio(const Wide& e, Wide& rest) {
  const Wide one = set(1.0f);
  const Wide q = horner(e, -0.00330601609f, 0.0201483499f, -0.0575585775f, 0.106697984f, -0.153490216f, 0.196931824f,
                        -0.24958156f, 0.333304703f, -0.499999315f);
  const Wide p = fma(e, q, one);
  rest = fma(e, q, one - p);
  return p;
}

// x + x^3 q(x^2) near zero, 1 - 2 e / (1 + e) with e = exp(-2|x|) elsewhere.
HS_INLINE Wide tanh(const Wide& x) {
  const Wide s = x * x;
  const Wide q = horner(s, -0.0057170065f, 0.020650553f, -0.05374349f, 0.13331491f, -0.33333284f);
  const Wide small = fma(x * s, q, x);
  const Wide below = at_least(-32.0f, minus_abs(x));
  const Reduced part = reduce<0>(below + below);
  const Wide e = fma(part.scale, expm1_reduced(part.r), part.scale);
  const Wide large = set(1.0f) - (e + e) / (set(1.0f) + e);
  return select_greater(below, set(-0.625f), small, with_sign_of(large, x));
}

}  // namespace halfstep::internal::HS_NAMESPACE
