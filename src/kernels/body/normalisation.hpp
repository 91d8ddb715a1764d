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

// Rows go two at a time: sums over one row alone would wait for their own additions.
template <Dtype D>
struct TwoRows {
  using T = typename Storage<D>::Type;
  const T* row[2];
  TwoRows(const void* x, std::size_t ld) : row{static_cast<const T*>(x), static_cast<const T*>(x) + ld} {}
  HS_INLINE Wide at(std::size_t r, std::size_t i) const { return Storage<D>::load16(row[r] + i); }
  // The same place two rows on, which is read next.
  HS_INLINE void ask_for_next(std::size_t r, std::size_t i) const { ask_ahead<0>(row[r] + 2 * (row[1] - row[0]) + i); }
};

// Of each of two rows, sums of x - centre and of its square.
struct Moments {
  double sum[2] = {0, 0}, squares[2] = {0, 0};
};
template <Dtype D>
Moments moments(std::size_t columns, const TwoRows<D>& x, const float* centre) {
  Moments m;
  const Wide centres[2] = {set(centre[0]), set(centre[1])};
  for_each_block(columns, [&](std::size_t first, std::size_t n) HS_INLINED {
    RowSum sum[2], squares[2];
    for_each_of_row(n, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
      HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
        const Wide d = keep(x.at(r, first + i) - centres[r]);
        sum[r].add(j, d);
        squares[r].add_product(j, d, d);
      }
    });
    HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
      m.sum[r] += static_cast<double>(sum[r].total());
      m.squares[r] += static_cast<double>(squares[r].total());
    }
  });
  for (std::size_t r = 0; r < 2; ++r) {
    if (!(m.squares[r] > 0x1p-80 && m.squares[r] < 0x1p126))
      m.squares[r] = wide_squares<D>(columns, x.row[r], centre[r]);
  }
  return m;
}

// NaN where the deviation is beyond fp32: an infinite row must not become one of zeros.
HS_INLINE float reciprocal_deviation(double variance, float epsilon) {
  const double v = variance + static_cast<double>(epsilon);
  return v < 0x1p252 ? static_cast<float>(1 / __builtin_sqrt(v)) : __builtin_nanf("");
}

// Sums of two rows relative to their first elements. `Widen` leaves the rows in `wide`.
template <Dtype D, bool Widen>
void sums_from_first(std::size_t columns, const TwoRows<D>& x, float* wide, std::size_t wide_ld, const float* first,
                     float* sums) {
  const Wide firsts[2] = {set(first[0]), set(first[1])};
  RowSum sum[2];
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
    HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
      const Wide v = x.at(r, i);
      if constexpr (Widen) {
        if (j % 2 == 0) x.ask_for_next(r, i);
        store(wide + r * wide_ld + i, v);
      }
      sum[r].add(j, keep(v - firsts[r]));
    }
  });
  HS_UNROLL for (std::size_t r = 0; r < 2; ++r) sums[r] = sum[r].total();
}

// Everything relative to the first element, then to the mean in fp32, then to what that mean lacks: a large common part
// of the row costs no digits, and a constant row is exactly zero.
template <Dtype D>
void row_statistics(Norm norm, std::size_t columns, const void* data, std::size_t ld, float epsilon, float* wide,
                    std::size_t wide_ld, RowStatistics* statistics) {
  const TwoRows<D> x(data, ld);
  const bool centred = norm == Norm::layer;
  float mean[2] = {0, 0};
  if (centred) {
    float first[2], sums[2];
    for (std::size_t r = 0; r < 2; ++r) {
      alignas(64) float start[kLanes];
      store(start, x.at(r, 0));
      first[r] = start[0];
    }
    wide ? sums_from_first<D, true>(columns, x, wide, wide_ld, first, sums)
         : sums_from_first<D, false>(columns, x, wide, wide_ld, first, sums);
    for (std::size_t r = 0; r < 2; ++r) mean[r] = first[r] + sums[r] / static_cast<float>(columns);
  } else if (wide) {
    for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto) HS_INLINED {
      HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
        if (j % 2 == 0) x.ask_for_next(r, i);
        store(wide + r * wide_ld + i, x.at(r, i));
      }
    });
  }
  const Moments m = wide ? moments<Dtype::fp32>(columns, {wide, wide_ld}, mean) : moments<D>(columns, x, mean);
  const auto n = static_cast<double>(columns);
  for (std::size_t r = 0; r < 2; ++r) {
    const double rest = centred ? m.sum[r] / n : 0.0;
    statistics[r] = {mean[r], static_cast<float>(rest), reciprocal_deviation(m.squares[r] / n - rest * rest, epsilon)};
  }
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

// Two rows from fp32 to storage.
template <Dtype D, class A, bool Panels>
void store_normalised(std::size_t columns, const float* x, std::size_t ld, const RowStatistics* statistics,
                      const float* gamma, const float* beta, const StorageTarget& target) {
  using T = typename Storage<D>::Type;
  const RowStatistics s[2] = {statistics[0], statistics[1]};
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
    const Wide scale = load(gamma + i), offset = beta ? load(beta + i) : set(0.0f);
    Wide y[2];
    HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
      y[r] = keep(A::forward(fma(normalised<Dtype::fp32>(x + r * ld + i, s[r]), scale, offset)));
    }
    const auto pair = Storage<D>::round_result(y[0], y[1]);
    T* const rows = static_cast<T*>(target.rows) + i;
    if (j % 2 == 0) {
      ask_ahead<0>(rows + 2 * target.ld);
      ask_ahead<0>(rows + 3 * target.ld);
    }
    Storage<D>::store_rows(rows, rows + target.ld, pair);
    if constexpr (Panels) {
      Storage<D>::store_panel(static_cast<T*>(target.panels) + i / kLanes * target.panel_stride, pair);
    }
  });
}

template <Dtype D>
void normalise_rows(Activation activation, std::size_t columns, const float* x, std::size_t ld,
                    const RowStatistics* statistics, const float* gamma, const float* beta,
                    const StorageTarget& target) {
  auto run = [&](auto act) {
    using A = decltype(act);
    target.panels ? store_normalised<D, A, true>(columns, x, ld, statistics, gamma, beta, target)
                  : store_normalised<D, A, false>(columns, x, ld, statistics, gamma, beta, target);
  };
  activation == Activation::relu ? run(Act<Activation::relu>{}) : run(Act<Activation::identity>{});
}

// With xhat for the normalised row and g = d * gamma: d_x = (g - mean(g) - xhat * mean(g * xhat)) * rstd. RMSNorm does
// not subtract a mean, so its gradient does not either.
template <Dtype D, bool Centred>
HS_INLINE void normalise_backward(std::size_t columns, const void* data, const RowStatistics& statistics,
                                  const float* gamma, float* d, float* gamma_sums, float* beta_sums) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const RowStatistics s = statistics;
  const std::size_t next_row = (columns + kLanes - 1) / kLanes * kLanes;
  double direct_sum = 0, along_sum = 0;
  for_each_block(columns, [&](std::size_t first, std::size_t n) HS_INLINED {
    RowSum direct, along;
    for_each_of_row(n, [&](std::size_t j, std::size_t at, auto keep) HS_INLINED {
      const std::size_t i = first + at;
      if (j % 2 == 0) ask_ahead<0>(x + next_row + i);
      ask_ahead<0>(d + next_row + i);
      const Wide xhat = keep(normalised<D>(x + i, s)), d_y = keep(load(d + i));
      const Wide g = keep(d_y * load(gamma + i));
      along.add_product(j, g, xhat);
      if constexpr (Centred) direct.add(j, g);
      store(d + i, g);
      store(gamma_sums + i, fma(d_y, xhat, load(gamma_sums + i)));
      if constexpr (Centred) store(beta_sums + i, load(beta_sums + i) + d_y);
    });
    along_sum += static_cast<double>(along.total());
    if constexpr (Centred) direct_sum += static_cast<double>(direct.total());
  });
  const auto n = static_cast<double>(columns);
  const Wide minus_along = set(static_cast<float>(-along_sum / n)), mean = set(static_cast<float>(direct_sum / n));
  for_each_of_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
    store(d + i, keep(fma(normalised<D>(x + i, s), minus_along, load(d + i) - mean) * set(s.rstd)));
  });
}

template <Dtype D>
void normalise_backward(Norm norm, std::size_t columns, const void* x, const RowStatistics& s, const float* gamma,
                        float* d, float* gamma_sums, float* beta_sums) {
  norm == Norm::rms ? normalise_backward<D, false>(columns, x, s, gamma, d, gamma_sums, beta_sums)
                    : normalise_backward<D, true>(columns, x, s, gamma, d, gamma_sums, beta_sums);
}

}  // namespace halfstep::HS_NAMESPACE
