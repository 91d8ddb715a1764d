// BatchNorm (Ioffe and Szegedy, 2015): each column of a batch over its rows. Statistics in two passes, as
// normalisation.hpp takes them: about the first row, then about the mean which that gives.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

inline constexpr std::size_t kRowBlock = 16;

// The sums of one panel of columns, row after row.
template <Dtype D>
struct ColumnPanel {
  const typename Storage<D>::Type* x;
  Wide centre, sum, square;
  // `keep` zeroes lanes beyond the columns, or does nothing.
  template <class Keep>
  HS_INLINE void step(std::size_t ld, Keep keep) {
    const Wide d = keep(Storage<D>::load16(x) - centre);
    x += ld;
    sum = sum + d;
    square = fma(d, d, square);
  }
};

// Adds those of at most kRowBlock rows.
template <Dtype D>
void add_column_sums(std::size_t rows, std::size_t columns, const typename Storage<D>::Type* x, std::size_t ld,
                     const float* centre, float* sums, float* squares) {
  constexpr auto all = [](const Wide& d) { return d; };
  auto panel = [&](std::size_t i) __attribute__((always_inline)) {
    return ColumnPanel<D>{x + i, load(centre + i), load(sums + i), load(squares + i)};
  };
  auto finish = [&](std::size_t i, const ColumnPanel<D>& p) __attribute__((always_inline)) {
    store(sums + i, p.sum);
    store(squares + i, p.square);
  };
  std::size_t i = 0;
  // Two side by side: the additions of one column's sum wait for each other.
  for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
    ColumnPanel<D> one = panel(i), two = panel(i + kLanes);
    for (std::size_t r = 0; r < rows; ++r) {
      prefetch_ahead<0>(one.x + kRowBlock * ld);  // of the next block
      if constexpr (sizeof(*x) == 4) prefetch_ahead<0>(two.x + kRowBlock * ld);
      one.step(ld, all);
      two.step(ld, all);
    }
    finish(i, one);
    finish(i + kLanes, two);
  }
  for (; i < columns; i += kLanes) {
    const std::size_t valid = columns - i < kLanes ? columns - i : kLanes;
    ColumnPanel<D> last = panel(i);
    for (std::size_t r = 0; r < rows; ++r) {
      last.step(ld, [valid](const Wide& d) { return keep_lanes(d, valid); });
    }
    finish(i, last);
  }
}

// In blocks of whole rows, as they lie in memory.
template <Dtype D>
void column_sums(std::size_t rows, std::size_t columns, const void* data, std::size_t ld, const float* centre,
                 float* sums, float* squares) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  for (std::size_t r = 0; r < rows; r += kRowBlock) {
    add_column_sums<D>(rows - r < kRowBlock ? rows - r : kRowBlock, columns, x + r * ld, ld, centre, sums, squares);
  }
}

inline void batch_statistics(std::size_t columns, std::size_t rows, const float* centre, const float* sums,
                             const float* squares, float epsilon, const ColumnStatistics& out) {
  const auto n = static_cast<double>(rows);
  for (std::size_t i = 0; i < columns; ++i) {
    const double low = static_cast<double>(sums[i]) / n;
    const double variance = static_cast<double>(squares[i]) / n - low * low;
    out.mean[i] = centre[i];
    out.mean_low[i] = static_cast<float>(low);
    out.variance[i] = static_cast<float>(variance);
    out.rstd[i] = reciprocal_deviation(variance, epsilon);
  }
}

inline void running_statistics(std::size_t columns, const float* mean, const float* variance, float epsilon,
                               const ColumnStatistics& out) {
  for (std::size_t i = 0; i < columns; ++i) {
    out.mean[i] = mean[i];
    out.mean_low[i] = 0;
    out.variance[i] = variance[i];
    out.rstd[i] = reciprocal_deviation(static_cast<double>(variance[i]), epsilon);
  }
}

inline void update_running(std::size_t columns, std::size_t rows, const ColumnStatistics& batch, float momentum,
                           float* mean, float* variance) {
  const float unbiased = static_cast<float>(rows) / static_cast<float>(rows - 1);
  for (std::size_t i = 0; i < columns; ++i) {
    mean[i] = mean[i] + momentum * ((batch.mean[i] - mean[i]) + batch.mean_low[i]);
    if (rows > 1) variance[i] = variance[i] + momentum * (batch.variance[i] * unbiased - variance[i]);
  }
}

template <Dtype D>
HS_INLINE Wide column_normalised(const typename Storage<D>::Type* x, const ColumnStatistics& s, std::size_t i) {
  return ((Storage<D>::load16(x + i) - load(s.mean + i)) - load(s.mean_low + i)) * load(s.rstd + i);
}

template <Dtype D>
void normalise_columns(std::size_t columns, const void* data, const ColumnStatistics& statistics, const float* gamma,
                       const float* beta, float* y) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const ColumnStatistics s = statistics;  // of its own, or every store might have changed it
  for_each_in_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
    store(y + i, keep(fma(column_normalised<D>(x, s, i), load(gamma + i), load(beta + i))));
  });
}

template <Dtype D>
void normalise_columns_sums(std::size_t columns, const void* data, const ColumnStatistics& statistics, const float* d,
                            float* gamma_sums, float* beta_sums) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const ColumnStatistics s = statistics;
  for_each_in_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
    const Wide d_y = keep(load(d + i)), xhat = keep(column_normalised<D>(x, s, i));
    store(gamma_sums + i, fma(d_y, xhat, load(gamma_sums + i)));
    store(beta_sums + i, load(beta_sums + i) + d_y);
  });
}

// d_x = (d - mean(d) - xhat * mean(d * xhat)) * gamma * rstd, both means from the gradients of beta and gamma.
template <Dtype D>
void normalise_columns_backward(std::size_t columns, std::size_t rows, const void* data,
                                const ColumnStatistics& statistics, const float* gamma, const float* gamma_grad,
                                const float* beta_grad, float* d) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  const ColumnStatistics s = statistics;
  const Wide n = set(static_cast<float>(rows));
  for_each_in_row(columns, [&](std::size_t, std::size_t i, auto keep) HS_INLINED {
    const Wide along = load(gamma_grad + i) / n, mean = load(beta_grad + i) / n;
    const Wide across = (load(d + i) - mean) - column_normalised<D>(x, s, i) * along;
    store(d + i, keep(across * (load(gamma + i) * load(s.rstd + i))));
  });
}

}  // namespace halfstep::internal::HS_NAMESPACE
