// One pass: unscale and clip ride in the multiplier, moments and master are updated in place. Formulas as in PyTorch's
// documentation of Adam, AdamW and SGD; Lion: Chen et al., "Symbolic discovery of optimization algorithms", 2023.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// One line of each array in every step of 16 elements; chunks are short, but one follows the other in memory.
template <class... P>
HS_INLINE void prefetch_all(std::size_t i, P... arrays) {
  (prefetch_ahead<1024>(arrays + i), ...);
}

HS_INLINE Wide unscaled(const float* grad, float limit, float multiplier) {
  return clamp(load(grad), set(limit)) * set(multiplier);
}

inline void adam(std::size_t n, const float* grad, float* master, float* m, float* v, const AdamParameters& in) {
  const AdamParameters p = in;  // of its own, or every store might have changed it
  for (std::size_t i = 0; i < n; i += kLanes) {
    prefetch_all(i, grad, master, m, v);
    const Wide w = load(master + i);
    const Wide g = fma(set(p.l2), w, unscaled(grad + i, p.limit, p.multiplier));
    const Wide m1 = fma(set(p.one_minus_beta1), g - load(m + i), load(m + i));
    const Wide v1 = fma(set(p.one_minus_beta2) * g, g, set(p.beta2) * load(v + i));
    store(m + i, m1);
    store(v + i, v1);
    const Wide denominator = fma(sqrt(v1), set(p.inv_sqrt_correction), set(p.epsilon));
    store(master + i, fma(set(-p.step_size), m1 / denominator, w * set(p.decay)));
  }
}

inline void sgd(std::size_t n, const float* grad, float* master, float* momentum, const SgdParameters& in) {
  const SgdParameters p = in;
  for (std::size_t i = 0; i < n; i += kLanes) {
    prefetch_all(i, grad, master);
    const Wide w = load(master + i);
    Wide g = fma(set(p.l2), w, unscaled(grad + i, p.limit, p.multiplier));
    if (p.momentum != 0.0f) {
      prefetch_all(i, momentum);  // there is none otherwise
      const Wide b = fma(set(p.momentum), load(momentum + i), g);
      store(momentum + i, b);
      g = p.nesterov ? fma(set(p.momentum), b, g) : b;
    }
    store(master + i, fma(set(-p.lr), g, w));
  }
}

// Moves every weight by lr or not at all; the sign of NaN is NaN.
inline void lion(std::size_t n, const float* grad, float* master, float* m, const LionParameters& in) {
  const LionParameters p = in;
  for (std::size_t i = 0; i < n; i += kLanes) {
    prefetch_all(i, grad, master, m);
    const Wide w = load(master + i);
    const Wide m0 = load(m + i);
    const Wide change = unscaled(grad + i, p.limit, p.multiplier) - m0;
    const Wide mixed = fma(set(p.one_minus_beta1), change, m0);
    const Wide direction = select_greater(abs(mixed), set(0.0f), with_sign_of(set(1.0f), mixed), mixed);
    store(m + i, fma(set(p.one_minus_beta2), change, m0));
    store(master + i, fma(set(-p.lr), fma(set(p.weight_decay), w, direction), w));
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
