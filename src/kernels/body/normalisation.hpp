// LayerNorm (Ba, Kiros and Hinton, 2016) and RMSNorm (Zhang and Sennrich, 2019) of one row, from what storage holds,
// with sums of one shape on every ISA.
#pragma once

namespace halfstep::HS_NAMESPACE {

inline constexpr std::size_t kRowChains = 4;  // of a sum over a row, so that additions do not wait for each other

// f(chain, i, keep) for each 16 of a row; keep zeroes the lanes beyond its end.
template <class F>
HS_INLINE void for_each_of_row(std::size_t columns, F f) {
  constexpr std::size_t kGroup = kRowChains * kLanes;
  std::size_t i = 0;
  for (; i + kGroup <= columns; i += kGroup) {
    HS_UNROLL for (std::size_t j = 0; j < kRowChains; ++j) f(j, i + j * kLanes, [](const Wide& x) { return x; });
  }
  HS_UNROLL for (std::size_t j = 0; j < kRowChains; ++j) {
    const std::size_t at = i + j * kLanes, valid = columns - at < kLanes ? columns - at : kLanes;
    if (at < columns) f(j, at, [valid](const Wide& x) { return keep_lanes(x, valid); });
  }
}

struct RowSum {
  Wide chains[kRowChains];
  RowSum() { HS_UNROLL for (Wide& chain : chains) chain = set(0.0f); }
  HS_INLINE float total() const { return sum_lanes((chains[0] + chains[2]) + (chains[1] + chains[3])); }
};

// Squares in fp64: a row of 1e20 has a variance too.
struct RowSquares {
  Doubles chains[2][kRegs];
  RowSquares() { HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) chains[0][r] = chains[1][r] = doubles_zero(); }
  HS_INLINE void add_to(std::size_t chain, const Wide& x) {
    HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) chains[chain][r] = add_squares(chains[chain][r], x.r[r]);
  }
  HS_INLINE double total() const {
    double lanes[kLanes];
    HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) {
      doubles_store(lanes + r * kRegLanes, add(chains[0][r], chains[1][r]));
    }
    return sum_lanes_fp64(lanes);
  }
};

// NaN where the deviation is beyond fp32: an infinite row must not become one of zeros.
HS_INLINE float reciprocal_deviation(double variance, float epsilon) {
  const double v = variance + static_cast<double>(epsilon);
  return v < 0x1p252 ? static_cast<float>(1 / __builtin_sqrt(v)) : __builtin_nanf("");
}

// Everything relative to the first element, then to the mean in fp32, then to what that mean lacks: a large common part
// of the row costs no digits, and a constant row is exactly zero.
template <Dtype D>
RowStatistics layer_statistics(std::size_t columns, const void* data, float epsilon) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const auto n = static_cast<float>(columns);
  alignas(64) float start[kLanes];
  store(start, Storage<D>::load16(x));
  const Wide first = set(start[0]);
  RowSum sum, rest;
  RowSquares squares;
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) {
    sum.chains[j] = sum.chains[j] + keep(Storage<D>::load16(x + i) - first);
  });
  const float mean = start[0] + sum.total() / n;
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) {
    const Wide d = keep(Storage<D>::load16(x + i) - set(mean));
    rest.chains[j] = rest.chains[j] + d;
    squares.add_to(j % 2, d);
  });
  const float mean_rest = rest.total() / n;
  const double variance =
      squares.total() / static_cast<double>(n) - static_cast<double>(mean_rest) * static_cast<double>(mean_rest);
  return {mean, mean_rest, reciprocal_deviation(variance, epsilon)};
}

template <Dtype D>
RowStatistics rms_statistics(std::size_t columns, const void* data, float epsilon) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  RowSquares squares;
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) {
    squares.add_to(j % 2, keep(Storage<D>::load16(x + i)));
  });
  return {0, 0, reciprocal_deviation(squares.total() / static_cast<double>(columns), epsilon)};
}

template <Dtype D>
RowStatistics row_statistics(Norm norm, std::size_t columns, const void* x, float epsilon) {
  return norm == Norm::rms ? rms_statistics<D>(columns, x, epsilon) : layer_statistics<D>(columns, x, epsilon);
}

template <Dtype D>
HS_INLINE Wide normalised(const typename Storage<D>::Type* x, const RowStatistics& s) {
  return ((Storage<D>::load16(x) - set(s.mean)) - set(s.rest)) * set(s.rstd);
}

template <Dtype D>
void normalise(std::size_t columns, const void* data, const RowStatistics& statistics, const float* gamma,
               const float* beta, float* y) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const RowStatistics s = statistics;  // of its own, or every store might have changed it
  for_each_of_row(columns, [&](std::size_t, std::size_t i, auto keep) {
    const Wide offset = beta ? load(beta + i) : set(0.0f);
    store(y + i, keep(fma(normalised<D>(x + i, s), load(gamma + i), offset)));
  });
}

// With xhat for the normalised row and g = d * gamma: d_x = (g - mean(g) - xhat * mean(g * xhat)) * rstd. RMSNorm does
// not subtract a mean, so its gradient does not either.
template <Dtype D, bool Centred>
HS_INLINE void normalise_backward(std::size_t columns, const void* data, const RowStatistics& statistics,
                                  const float* gamma, float* d, float* gamma_sums, float* beta_sums) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const auto n = static_cast<float>(columns);
  const RowStatistics s = statistics;
  RowSum direct, along;
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) {
    const Wide xhat = keep(normalised<D>(x + i, s)), d_y = keep(load(d + i));
    const Wide g = keep(d_y * load(gamma + i));
    along.chains[j] = fma(g, xhat, along.chains[j]);
    if constexpr (Centred) direct.chains[j] = direct.chains[j] + g;
    store(gamma_sums + i, fma(d_y, xhat, load(gamma_sums + i)));
    if constexpr (Centred) store(beta_sums + i, load(beta_sums + i) + d_y);
  });
  const Wide minus_along = set(-(along.total() / n)), mean = set(Centred ? direct.total() / n : 0.0f);
  for_each_of_row(columns, [&](std::size_t, std::size_t i, auto keep) {
    const Wide g = load(d + i) * load(gamma + i) - mean;
    store(d + i, keep(fma(normalised<D>(x + i, s), minus_along, g) * set(s.rstd)));
  });
}

template <Dtype D>
void normalise_backward(Norm norm, std::size_t columns, const void* x, const RowStatistics& s, const float* gamma,
                        float* d, float* gamma_sums, float* beta_sums) {
  norm == Norm::rms ? normalise_backward<D, false>(columns, x, s, gamma, d, gamma_sums, beta_sums)
                    : normalise_backward<D, true>(columns, x, s, gamma, d, gamma_sums, beta_sums);
}

}  // namespace halfstep::HS_NAMESPACE
