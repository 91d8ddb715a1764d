// LayerNorm (Ba, Kiros and Hinton, 2016) and RMSNorm (Zhang and Sennrich, 2019) of one row, from what storage holds,
// with sums of one shape on every ISA.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

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

// The same where f keeps no sums: then chains need not be told apart when compiled, and what is left behind the last
// group is a loop, which halves the code.
template <class F>
HS_INLINE void for_each_in_row(std::size_t columns, F f) {
  constexpr std::size_t kGroup = kRowChains * kLanes;
  std::size_t i = 0;
  for (; i + kGroup <= columns; i += kGroup) {
    HS_UNROLL for (std::size_t j = 0; j < kRowChains; ++j)
        f(j, i + j * kLanes, [](const Wide& x) HS_INLINED { return x; });
  }
  _Pragma("GCC unroll 1") for (std::size_t at = i; at < columns; at += kLanes) {
    const std::size_t valid = columns - at < kLanes ? columns - at : kLanes;
    f((at - i) / kLanes, at, [valid](const Wide& x) HS_INLINED { return keep_lanes(x, valid); });
  }
}

// Sums in fp32 run over so many columns, sums of sums in fp64: rows of a million columns are as exact as short ones.
inline constexpr std::size_t kSumColumns = 1024;
template <class F>
HS_INLINE void for_each_block(std::size_t columns, F f) {
  for (std::size_t i = 0; i < columns; i += kSumColumns) f(i, columns - i < kSumColumns ? columns - i : kSumColumns);
}

// In all lanes, or in one register of them.
template <class Lanes>
struct RowSum {
  Lanes chains[kRowChains];
  explicit RowSum(const Lanes& zero) { HS_UNROLL for (Lanes& chain : chains) chain = zero; }
  HS_INLINE void add(std::size_t chain, const Lanes& x) { chains[chain] = chains[chain] + x; }
  HS_INLINE void add_product(std::size_t chain, const Lanes& x, const Lanes& y) {
    chains[chain] = fma(x, y, chains[chain]);
  }
  HS_INLINE Lanes lanes() const { return (chains[0] + chains[2]) + (chains[1] + chains[3]); }
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

// Lines of memory are prefetched in their order, and evenly over the time until they are used: where many requests
// wait, loads from L1 wait with them. Here half of a row, beside a pass over one of the same length.
template <class T>
HS_INLINE void prefetch_half(const T* half, std::size_t chain, std::size_t i) {
  if (chain * kLanes * sizeof(T) % 128 == 0) prefetch_ahead<0>(half + i / 2);
}

// Of a row, sums of x - centre and of its square. `Keep` leaves x - centre in `centred` and prefetches `half`.
struct Moments {
  double sum = 0, squares = 0;
};
// fp32 has held all of a sum of squares.
HS_INLINE bool held(double squares) { return squares > 0x1p-80 && squares < 0x1p126; }
template <Dtype D, bool Keep, class T>
Moments moments(std::size_t columns, const typename Storage<D>::Type* x, float centre, float* centred, const T* half) {
  Moments m;
  const Wide c = set(centre);
  for_each_block(columns, [&](std::size_t first, std::size_t n) HS_INLINED {
    Wide sums, squares;
    // One register of the lanes at a time: sums in all of them would not find room.
    HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) {
      RowSum<Reg> sum(reg_set(0.0f)), square(reg_set(0.0f));
      for_each_of_row(n, [&](std::size_t j, std::size_t at, auto keep) HS_INLINED {
        const std::size_t i = first + at;
        const Reg d = keep(Storage<D>::load16(x + i) - c).r[r];
        if constexpr (Keep) {
          if (r == 0) prefetch_half(half, j, i);
          reg_store(centred + i + r * kRegLanes, d);
        }
        sum.add(j, d);
        square.add_product(j, d, d);
      });
      sums.r[r] = sum.lanes();
      squares.r[r] = square.lanes();
    }
    m.sum += static_cast<double>(sum_lanes(sums));
    m.squares += static_cast<double>(sum_lanes(squares));
  });
  if (!held(m.squares)) {
    m.squares = Keep ? wide_squares<Dtype::fp32>(columns, centred, 0) : wide_squares<D>(columns, x, centre);
  }
  return m;
}

// Sum of the squares of a row. `Keep` leaves it in `wide` and prefetches `next`, which is read next.
template <Dtype D, bool Keep, class T>
double squares(std::size_t columns, const T* x, float* wide, const T* next) {
  double total = 0;
  for_each_block(columns, [&](std::size_t first, std::size_t n) HS_INLINED {
    RowSum<Wide> sum(set(0.0f));
    for_each_of_row(n, [&](std::size_t j, std::size_t at, auto keep) HS_INLINED {
      const std::size_t i = first + at;
      const Wide v = keep(Storage<D>::load16(x + i));
      if constexpr (Keep) {
        if (j * kLanes * sizeof(T) % 64 == 0) prefetch_ahead<0>(next + i);
        store(wide + i, v);
      }
      sum.add_product(j, v, v);
    });
    total += static_cast<double>(sum_lanes(sum.lanes()));
  });
  return held(total) ? total : wide_squares<D>(columns, x, 0);
}

// NaN where the deviation is beyond fp32: an infinite row must not become one of zeros.
HS_INLINE float reciprocal_deviation(double variance, float epsilon) {
  const double v = variance + static_cast<double>(epsilon);
  return v < 0x1p252 ? static_cast<float>(1 / __builtin_sqrt(v)) : __builtin_nanf("");
}

// Sum of a row relative to its first element. `Keep` leaves the row in `wide` and prefetches `half`.
template <Dtype D, bool Keep, class T>
float sum_from(float first, std::size_t columns, const T* x, float* wide, const T* half) {
  const Wide centre = set(first);
  RowSum<Wide> sum(set(0.0f));
  for_each_of_row(columns, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
    const Wide v = Storage<D>::load16(x + i);
    if constexpr (Keep) {
      prefetch_half(half, j, i);
      store(wide + i, v);
    }
    sum.add(j, keep(v - centre));
  });
  return sum_lanes(sum.lanes());
}

// Everything relative to the first element, then to the mean in fp32, then to what that mean lacks: a large common part
// of the row costs no digits, and a constant row is exactly zero. Two rows: while one waits for its sums the other goes
// on, and the next two are prefetched.
template <Dtype D, bool Keep>
void layer_statistics(std::size_t columns, const typename Storage<D>::Type* x, std::size_t ld, float epsilon,
                      float* centred, std::size_t centred_ld, RowStatistics* statistics) {
  for (std::size_t r = 0; r < 2; ++r) {
    const auto* row = x + r * ld;
    alignas(64) float start[kLanes];
    store(start, Storage<D>::load16(row));
    float* const kept = Keep ? centred + r * centred_ld : nullptr;
    const float sum = sum_from<D, Keep>(start[0], columns, row, kept, row + 2 * ld);
    statistics[r].mean = start[0] + sum / static_cast<float>(columns);
  }
  const auto n = static_cast<double>(columns);
  for (std::size_t r = 0; r < 2; ++r) {
    const float mean = statistics[r].mean;
    const auto* row = x + r * ld;
    float* const kept = Keep ? centred + r * centred_ld : nullptr;
    Moments m;
    if constexpr (Keep) m = moments<Dtype::fp32, true>(columns, kept, mean, kept, row + 2 * ld + columns / 2);
    if constexpr (!Keep) m = moments<D, false>(columns, row, mean, kept, row);
    const double low = m.sum / n;
    statistics[r].mean_low = static_cast<float>(low);
    statistics[r].rstd = reciprocal_deviation(m.squares / n - low * low, epsilon);
  }
}

template <Dtype D, bool Keep>
void rms_statistics(std::size_t columns, const typename Storage<D>::Type* x, std::size_t ld, float epsilon, float* wide,
                    std::size_t wide_ld, RowStatistics* statistics) {
  for (std::size_t r = 0; r < 2; ++r) {
    const auto* row = x + r * ld;
    const double sum = squares<D, Keep>(columns, row, Keep ? wide + r * wide_ld : nullptr, row + 2 * ld);
    statistics[r] = {0, 0, reciprocal_deviation(sum / static_cast<double>(columns), epsilon)};
  }
}

template <Dtype D>
void row_statistics(Norm norm, std::size_t columns, const void* data, std::size_t ld, float epsilon, float* centred,
                    std::size_t centred_ld, RowStatistics* statistics) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  auto run = [&](auto keep) {
    norm == Norm::layer
        ? layer_statistics<D, decltype(keep)::value>(columns, x, ld, epsilon, centred, centred_ld, statistics)
        : rms_statistics<D, decltype(keep)::value>(columns, x, ld, epsilon, centred, centred_ld, statistics);
  };
  centred ? run(std::true_type{}) : run(std::false_type{});
}

template <Dtype D>
HS_INLINE Wide normalised(const typename Storage<D>::Type* x, const RowStatistics& s) {
  return ((Storage<D>::load16(x) - set(s.mean)) - set(s.mean_low)) * set(s.rstd);
}

template <Dtype D>
void normalise(std::size_t columns, const void* data, const RowStatistics& statistics, const float* gamma,
               const float* beta, float* y) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const RowStatistics s = statistics;  // of its own, or every store might have changed it
  for_each_in_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
    const Wide offset = beta ? load(beta + i) : set(0.0f);
    store(y + i, keep(fma(normalised<D>(x + i, s), load(gamma + i), offset)));
  });
}

// Two rows that row_statistics has left, to storage. The next two are prefetched, one after the other.
template <Dtype D, class A, bool Panels>
void store_normalised(std::size_t columns, const float* centred, std::size_t ld, const RowStatistics* statistics,
                      const float* gamma, const float* beta, const StorageTarget& target) {
  using T = typename Storage<D>::Type;
  const RowStatistics s[2] = {statistics[0], statistics[1]};
  // Of its own, as they are: any store might have changed the target.
  const StorageTarget to = target;
  T *const row0 = static_cast<T*>(to.rows), *const row1 = row0 + to.ld, *const panels = static_cast<T*>(to.panels);
  for_each_in_row(columns, [&](std::size_t j, std::size_t i, auto keep) HS_INLINED {
    const Wide scale = load(gamma + i), offset = beta ? load(beta + i) : set(0.0f);
    Wide y[2];
    HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
      const Wide xhat = (load(centred + r * ld + i) - set(s[r].mean_low)) * set(s[r].rstd);
      y[r] = keep(A::forward(fma(xhat, scale, offset)));
    }
    const auto pair = Storage<D>::round_result(y[0], y[1]);
    if (j * kLanes * sizeof(T) % 64 == 0) {
      const T* const next = 2 * i < columns ? row0 + 2 * (to.ld + i) : row1 + 2 * (to.ld + i) - columns;
      prefetch_ahead<0>(next);
      prefetch_ahead<64>(next);
    }
    Storage<D>::store_rows(row0 + i, row1 + i, pair);
    if constexpr (Panels) Storage<D>::store_panel(panels + i / kLanes * to.panel_stride, pair);
  });
}

template <Dtype D>
void normalise_rows(Activation activation, std::size_t columns, const float* centred, std::size_t ld,
                    const RowStatistics* statistics, const float* gamma, const float* beta,
                    const StorageTarget& target) {
  auto run = [&](auto act) {
    using A = decltype(act);
    target.panels ? store_normalised<D, A, true>(columns, centred, ld, statistics, gamma, beta, target)
                  : store_normalised<D, A, false>(columns, centred, ld, statistics, gamma, beta, target);
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
    RowSum<Wide> direct(set(0.0f)), along(set(0.0f));
    for_each_of_row(n, [&](std::size_t j, std::size_t at, auto keep) HS_INLINED {
      const std::size_t i = first + at;
      if (j * kLanes * sizeof(*x) % 64 == 0) prefetch_ahead<0>(x + next_row + i);
      prefetch_ahead<0>(d + next_row + i);
      const Wide xhat = keep(normalised<D>(x + i, s)), d_y = keep(load(d + i));
      const Wide g = keep(d_y * load(gamma + i));
      along.add_product(j, g, xhat);
      if constexpr (Centred) direct.add(j, g);
      store(d + i, g);
      store(gamma_sums + i, fma(d_y, xhat, load(gamma_sums + i)));
      if constexpr (Centred) store(beta_sums + i, load(beta_sums + i) + d_y);
    });
    along_sum += static_cast<double>(sum_lanes(along.lanes()));
    if constexpr (Centred) direct_sum += static_cast<double>(sum_lanes(direct.lanes()));
  });
  const auto n = static_cast<double>(columns);
  const Wide minus_along = set(static_cast<float>(-along_sum / n)), mean = set(static_cast<float>(direct_sum / n));
  for_each_in_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
    store(d + i, keep(fma(normalised<D>(x + i, s), minus_along, load(d + i) - mean) * set(s.rstd)));
  });
}

template <Dtype D>
void normalise_backward(Norm norm, std::size_t columns, const void* x, const RowStatistics& s, const float* gamma,
                        float* d, float* gamma_sums, float* beta_sums) {
  norm == Norm::rms ? normalise_backward<D, false>(columns, x, s, gamma, d, gamma_sums, beta_sums)
                    : normalise_backward<D, true>(columns, x, s, gamma, d, gamma_sums, beta_sums);
}

}  // namespace halfstep::internal::HS_NAMESPACE
