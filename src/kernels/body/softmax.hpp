// Softmax and its cross-entropy over one row of logits, from the logits (never from probabilities).
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Largest of the valid lanes; a NaN anywhere makes the later sum NaN, so it is not lost here.
HS_INLINE float row_max(std::size_t columns, const float* x) {
  constexpr std::size_t kChains = 4;  // comparisons would wait for each other
  Wide chains[kChains];
  for (Wide& chain : chains) chain = set(-__builtin_inff());
  std::size_t i = 0;
  for (; i + kChains * kLanes <= columns; i += kChains * kLanes) {
    HS_UNROLL for (std::size_t j = 0; j < kChains; ++j) chains[j] = greater_of(load(x + i + j * kLanes), chains[j]);
  }
  for (; i + kLanes <= columns; i += kLanes) chains[0] = greater_of(load(x + i), chains[0]);
  float largest = -__builtin_inff();
  if (i > 0) {
    alignas(64) float each[kLanes];
    store(each, greater_of(greater_of(chains[0], chains[1]), greater_of(chains[2], chains[3])));
    for (const float lane : each) largest = lane > largest ? lane : largest;
  }
  for (; i < columns; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

// e = exp(x - shift) for a shift that is no less than any x, zero beyond `columns`; returns the sum. Prefetches the
// rows behind these.
HS_INLINE float exp_row(std::size_t columns, const float* x, float shift, float* e) {
  const std::size_t next_row = (columns + kLanes - 1) / kLanes * kLanes;
  Wide sum = set(0.0f);
  for (std::size_t i = 0; i < columns; i += kLanes) {
    prefetch_ahead<0>(x + next_row + i);
    prefetch_ahead<0>(e + next_row + i);
    Wide v = exp_negative(load(x + i) - set(shift));
    if (columns - i < kLanes) v = keep_lanes(v, columns - i);
    store(e + i, v);
    sum = sum + v;
  }
  return sum_lanes(sum);
}

// x times factor; the padding stays zero even where the factor is NaN.
HS_INLINE void scale_row(std::size_t columns, float factor, float* x) {
  for (std::size_t i = 0; i < columns; i += kLanes) {
    Wide v = load(x + i) * set(factor);
    if (columns - i < kLanes) v = keep_lanes(v, columns - i);
    store(x + i, v);
  }
}

inline double softmax_cross_entropy(std::size_t columns, const float* logits, std::int32_t label, float scale,
                                    float* d) {
  const float shift = row_max(columns, logits);
  const float target = logits[label];
  const float sum = exp_row(columns, logits, shift, d);
  scale_row(columns, scale / sum, d);
  d[label] = d[label] - scale;
  return __builtin_log(static_cast<double>(sum)) + (static_cast<double>(shift) - static_cast<double>(target));
}

inline void softmax(std::size_t columns, const float* logits, float* probabilities) {
  const float shift = row_max(columns, logits);
  const float sum = exp_row(columns, logits, shift, probabilities);
  scale_row(columns, 1.0f / sum, probabilities);
}

}  // namespace halfstep::internal::HS_NAMESPACE
