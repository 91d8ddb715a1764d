// The upper tail of the normal distribution: Q(a) = exp(-a^2/2) M(a), a >= 0.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// exp(-a^2/2) = scale kLower (1 + t + t_rest); M(a) = (ratio + ratio_rest) (1 + step).
struct NormalTail {
  Wide a;  // min(|x|, 14.5): beyond it x Q(|x|) is below the least normal
  Wide t, t_rest, scale;
  Wide ratio, ratio_rest, step;
};

// M(a) = P(v) / (a + k) with v = (a - k) / (a + k), the variable of Shepherd and Laframboise (Mathematics of
// Computation 36, 1981), in which a polynomial fits at both ends; k such that P(0) is almost a number of fp32. The last
// two steps of Horner's scheme keep what they round away: without the first GELU's derivative is 2.02 ulp off.
inline constexpr float kTailMiddle = 3.375f;
HS_INLINE NormalTail normal_tail(const Wide& x) {
  NormalTail tail;
  const Wide below = at_least(-14.5f, minus_abs(x));
  const Wide a = abs(below), half = a * set(0.5f);
  const Wide square = below * half;
  const Reduced e = reduce<kLift>(square, fms(below, half, square));
  tail.a = a;
  tail.t = expm1_reduced(e.r, tail.t_rest);
  tail.scale = e.scale;

  const Wide d = a + set(kTailMiddle), d_rest = a - (d - set(kTailMiddle));
  const Wide inverse = set(1.0f) / d;
  tail.step = fnma(d_rest, inverse, fnma(d, inverse, set(1.0f)));
  const Wide v = fma(inverse * tail.step, set(-2.0f * kTailMiddle), fma(inverse, set(-2.0f * kTailMiddle), set(1.0f)));
  const Wide p2 = horner(v, 0.000136814706f, 0.000312799559f, -0.000850220909f, -0.00225435593f, 0.00782467052f,
                         0.00872023124f, -0.0983842909f, 0.295375794f);
  const Wide p1 = fma(v, p2, set(-0.552992225f)), p1_rest = fma(v, p2, set(-0.552992225f) - p1);
  const Wide p0 = set(0.741080284f);
  const Wide p = fma(v, p1, p0), p_rest = fma(v, p1_rest, fma(v, p1, p0 - p));
  tail.ratio = inverse * p;
  tail.ratio_rest = fma(inverse, p_rest, fms(inverse, p, tail.ratio));
  return tail;
}

}  // namespace halfstep::internal::HS_NAMESPACE
