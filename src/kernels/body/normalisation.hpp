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
    HS_UNROLL for (std::size_t j = 0; j < kRowChains; ++j)
        f(j, i + j * kLanes, [](const Wide& x) HS_INLINED { return x; });
  }
  HS_UNROLL for (std::size_t j = 0; j < kRowChains; ++j) {
    const std::size_t at = i + j * kLanes, valid = columns - at < kLanes ? columns - at : kLanes;
    if (at < columns) f(j, at, [valid](const Wide& x) HS_INLINED { return keep_lanes(x, valid); });
  }
}

// Sums in fp32 run over so many columns, sums of sums in fp64: rows of a million columns are as exact as short ones.
inline constexpr std::size_t kSumColumns = 1024;
template <class F>
HS_INLINE void for_each_block(std::size_t columns, F f) {
  for (std::size_t i = 0; i < columns; i += kSumColumns) f(i, columns - i < kSumColumns ? columns - i : kSumColumns);
}

struct RowSum {
  Wide chains[kRowChains];
  RowSum() { HS_UNROLL for (Wide& chain : chains) chain = set(0.0f); }
  HS_INLINE void add(std::size_t chain, const Wide& x) { chains[chain] = chains[chain] + x; }
  HS_INLINE void add_product(std::size_t chain, const Wide& x, const Wide& y) {
    chains[chain] = fma(x, y, chains[chain]);
  }
  HS_INLINE float total() const { return sum_lanes((chains[0] + chains[2]) + (chains[1] + chains[3])); }
};

// Sum of the squares of x - centre in fp64, for rows whose fp32 sums overflow or are lost to underflow: a row of 1e20
// has a variance too.
template <Dtype D>
double wide_squares(std::size_t columns, const typename Storage<D>::Type* x, float centre) {
  Doubles chains[2][kRegs];
  HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) chains[0][r] = chains[1][r] = doubles_zero();
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
    const Wide d = keep(Storage<D>::load16(x + i) - set(centre));
    HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) chains[j % 2][r] = add_squares(chains[j % 2][r], d.r[r]);
  });
  double lanes[kLanes];
  HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) {
    doubles_store(lanes + r * kRegLanes, add(chains[0][r], chains[1][r]));
  }
  return sum_lanes_fp64(lanes);
}

// Sums of x - centre and of its square.
struct Moments {
  double sum, squares;
};
template <Dtype D>
HS_INLINE Moments moments(std::size_t columns, const typename Storage<D>::Type* x, float centre) {
  Moments m = {0, 0};
  for_each_block(columns, [&](std::size_t first, std::size_t n) HS_INLINED {
    RowSum sum, squares;
    for_each_of_row(n, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
      const Wide d = keep(Storage<D>::load16(x + first + i) - set(centre));
      sum.add(j, d);
      squares.add_product(j, d, d);
    });
    m.sum += static_cast<double>(sum.total());
    m.squares += static_cast<double>(squares.total());
  });
  if (!(m.squares > 0x1p-80 && m.squares < 0x1p126)) m.squares = wide_squares<D>(columns, x, centre);
  return m;
}

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
  RowSum sum;
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep)
                               HS_INLINED { sum.add(j, keep(Storage<D>::load16(x + i) - first)); });
  const float mean = start[0] + sum.total() / n;
  const Moments m = moments<D>(columns, x, mean);
  const double rest = m.sum / static_cast<double>(columns);
  const double variance = m.squares / static_cast<double>(columns) - rest * rest;
  return {mean, static_cast<float>(rest), reciprocal_deviation(variance, epsilon)};
}

template <Dtype D>
RowStatistics rms_statistics(std::size_t columns, const void* x, float epsilon) {
  const Moments m = moments<D>(columns, static_cast<const typename Storage<D>::Type*>(x), 0.0f);
  return {0, 0, reciprocal_deviation(m.squares / static_cast<double>(columns), epsilon)};
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
  for_each_of_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
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
  const RowStatistics s = statistics;
  double direct_sum = 0, along_sum = 0;
  for_each_block(columns, [&](std::size_t first, std::size_t n) HS_INLINED {
    RowSum direct, along;
    for_each_of_row(n, [&](std::size_t j, std::size_t at, auto keep) HS_INLINED {
      const std::size_t i = first + at;
      const Wide xhat = keep(normalised<D>(x + i, s)), d_y = keep(load(d + i));
      const Wide g = keep(d_y * load(gamma + i));
      along.add_product(j, g, xhat);
      if constexpr (Centred) direct.add(j, g);
      store(gamma_sums + i, fma(d_y, xhat, load(gamma_sums + i)));
      if constexpr (Centred) store(beta_sums + i, load(beta_sums + i) + d_y);
    });
    along_sum += static_cast<double>(along.total());
    if constexpr (Centred) direct_sum += static_cast<double>(direct.total());
  });
  const auto n = static_cast<double>(columns);
  const Wide minus_along = set(static_cast<float>(-along_sum / n)), mean = set(static_cast<float>(direct_sum / n));
  for_each_of_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
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
