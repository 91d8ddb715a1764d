// Activations and their derivatives. backward(saved, d) is d times the derivative; `saved` is the output for ReLU, tanh
// and sigmoid, the input for the others (derivative_needs_input). NaN goes through in both directions.
#pragma once

namespace halfstep::HS_NAMESPACE {

template <Activation A>
struct Act;

template <>
struct Act<Activation::identity> {
  static HS_INLINE Wide forward(const Wide& x) { return x; }
  static HS_INLINE Wide backward(const Wide&, const Wide& d) { return d; }
};

template <>
struct Act<Activation::relu> {
  static HS_INLINE Wide forward(const Wide& x) { return select_greater(set(0.0f), x, set(0.0f), x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return select_greater(y, set(0.0f), d, d * y); }
};

// x Phi(x) with the error function (Hendrycks and Gimpel, 2016).
template <>
struct Act<Activation::gelu> {
  static constexpr float kInvSqrt2 = 0.707106781f, kInvSqrt2Pi = 0.398942280f;
  static HS_INLINE Wide cdf(const Wide& x) { return fma(erf(x * set(kInvSqrt2)), set(0.5f), set(0.5f)); }
  static HS_INLINE Wide forward(const Wide& x) { return x * cdf(x); }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Wide density = exp(x * x * set(-0.5f)) * set(kInvSqrt2Pi);
    return d * fma(x, density, cdf(x));
  }
};

// The tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
template <>
struct Act<Activation::gelu_tanh> {
  static constexpr float kA = 0.797884561f, kB = 0.0356774081f;  // sqrt(2/pi), 0.044715 sqrt(2/pi)
  static HS_INLINE Wide curve(const Wide& x) { return tanh(x * fma(x * x, set(kB), set(kA))); }
  static HS_INLINE Wide forward(const Wide& x) { return x * fma(curve(x), set(0.5f), set(0.5f)); }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Wide t = curve(x);
    const Wide near = clamp(x, set(32.0f));  // 1 - t^2 is zero long before; x^2 must not overflow beside it
    const Wide slope = fma(near * near, set(3.0f * kB), set(kA));
    const Wide rest = near * (set(1.0f) - t * t) * slope;
    return d * fma(t + rest, set(0.5f), set(0.5f));
  }
};

template <>
struct Act<Activation::silu> {
  static HS_INLINE Wide forward(const Wide& x) { return x * sigmoid(x); }
  static HS_INLINE Wide backward(const Wide& x, const Wide& d) {
    const Wide s = sigmoid(x);
    return d * fma(x * s, set(1.0f) - s, s);
  }
};

template <>
struct Act<Activation::tanh> {
  static HS_INLINE Wide forward(const Wide& x) { return halfstep::HS_NAMESPACE::tanh(x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return d * (set(1.0f) - y * y); }
};

template <>
struct Act<Activation::sigmoid> {
  static HS_INLINE Wide forward(const Wide& x) { return halfstep::HS_NAMESPACE::sigmoid(x); }
  static HS_INLINE Wide backward(const Wide& y, const Wide& d) { return d * (y * (set(1.0f) - y)); }
};

// Calls f with Act<activation>: the switch stands here once.
template <class F>
HS_INLINE void with_activation(Activation activation, F f) {
  switch (activation) {
    case Activation::identity:
      return f(Act<Activation::identity>{});
    case Activation::relu:
      return f(Act<Activation::relu>{});
    case Activation::gelu:
      return f(Act<Activation::gelu>{});
    case Activation::gelu_tanh:
      return f(Act<Activation::gelu_tanh>{});
    case Activation::silu:
      return f(Act<Activation::silu>{});
    case Activation::tanh:
      return f(Act<Activation::tanh>{});
    case Activation::sigmoid:
      return f(Act<Activation::sigmoid>{});
  }
}

// Runs f on 16 lanes at a time; the tail goes through a padded copy, so it takes the same code.
template <class F>
HS_INLINE void for_each_16(std::size_t n, const float* a, const float* b, float* out, F f) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, f(load(a + i), load(b + i)));
  if (i == n) return;
  alignas(64) float tail[3][kLanes] = {};
  for (std::size_t j = i; j < n; ++j) {
    tail[0][j - i] = a[j];
    tail[1][j - i] = b[j];
  }
  store(tail[2], f(load(tail[0]), load(tail[1])));
  for (std::size_t j = i; j < n; ++j) out[j] = tail[2][j - i];
}

inline void activation_forward(Activation activation, std::size_t n, const float* x, float* y) {
  with_activation(activation, [&](auto act) {
    for_each_16(n, x, x, y, [&](const Wide& v, const Wide&) { return act.forward(v); });
  });
}

inline void activation_backward(Activation activation, std::size_t n, const float* saved, const float* d_y,
                                float* d_x) {
  with_activation(activation, [&](auto act) {
    for_each_16(n, saved, d_y, d_x, [&](const Wide& s, const Wide& d) { return act.backward(s, d); });
  });
}

}  // namespace halfstep::HS_NAMESPACE
