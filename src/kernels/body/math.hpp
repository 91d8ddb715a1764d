// Elementary functions on 16 lanes, fp32 in and out. Polynomials were fitted for this file (iteratively reweighted
// least squares at Chebyshev nodes); each operation is written out, so every ISA gives the same bits.
#pragma once

namespace halfstep::HS_NAMESPACE {

// Horner's scheme, coefficients from the highest degree down.
template <class... C>
HS_INLINE Wide horner(const Wide& x, float first, C... rest) {
  Wide p = set(first);
  ((p = fma(p, x, set(rest))), ...);
  return p;
}

// 2^n for integer-valued n in [-126, 127], n given as the float n + 1.5*2^23 (its low bits hold n).
HS_INLINE Wide power_of_two(const WideBits& n) { return from_bits(shift_left<23>(n + set_bits(127u))); }

// exp: n = round(x / ln 2), r = x - n ln 2 in two parts, a degree-6 polynomial, then the scale in two factors so that
// results near the overflow border and below the least normal come out right.
HS_INLINE Wide exp(const Wide& x) {
  const Wide capped = select_greater(x, set(128.0f), set(128.0f), select_greater(set(-128.0f), x, set(-128.0f), x));
  const Wide magic = set(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Wide shifted = fma(capped, set(1.44269504f), magic);
  const Wide n = shifted - magic;
  const Wide r = fma(n, set(1.43241618e-6f), fma(n, set(-0.693148613f), capped));
  const Wide q = horner(r, 0.00139506f, 0.008368954f, 0.041666206f, 0.16666518f, 0.5f);
  const Wide p = fma(r * r, q, r) + set(1.0f);
  const Wide half_shifted = fma(n, set(0.5f), magic);
  const WideBits n1 = bits(half_shifted) - set_bits(0x4b400000u);
  const WideBits n2 = (bits(shifted) - set_bits(0x4b400000u)) - n1;
  return p * power_of_two(n1) * power_of_two(n2);
}

// x + x^3 q(x^2) near zero, 1 - 2 / (exp(2|x|) + 1) elsewhere.
HS_INLINE Wide tanh(const Wide& x) {
  const Wide a = abs(x);
  const Wide s = x * x;
  const Wide q = horner(s, -0.0057170065f, 0.020650553f, -0.05374349f, 0.13331491f, -0.33333284f);
  const Wide small = fma(x * s, q, x);
  const Wide large = set(1.0f) - set(2.0f) / (exp(a + a) + set(1.0f));
  return select_greater(set(0.625f), a, small, with_sign_of(large, x));
}

// x + x q(x^2) near zero, 1 - exp(-x p(x)) elsewhere (erf is 1 in fp32 from 3.92 on).
HS_INLINE Wide erf(const Wide& x) {
  const Wide a = abs(x);
  const Wide s = x * x;
  const Wide q =
      horner(s, 8.3249004e-05f, -0.0008131961f, 0.0052000806f, -0.026859013f, 0.11283688f, -0.37612632f, 0.12837917f);
  const Wide small = fma(x, q, x);
  const Wide t = select_greater(a, set(4.0f), set(4.0f), a);
  const Wide p = horner(t, 5.1157867e-06f, -4.7743488e-05f, -3.8572918e-05f, 0.0028997324f, -0.022624893f, 0.10521598f,
                        0.6356493f, 0.12854655f);
  const Wide large = set(1.0f) - exp(set(0.0f) - fma(t, p, t));
  return select_greater(set(0.92f), a, small, with_sign_of(large, x));
}

// 1 / (1 + exp(-x)), written so that exp never overflows.
HS_INLINE Wide sigmoid(const Wide& x) {
  const Wide e = exp(set(0.0f) - abs(x));
  const Wide low = e / (set(1.0f) + e);
  const Wide high = set(1.0f) / (set(1.0f) + e);
  return select_greater(set(0.0f), x, low, high);
}

}  // namespace halfstep::HS_NAMESPACE
