#include "nn/batch_norm.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "nn/row_pass.hpp"

namespace halfstep {
namespace {

const std::byte* z_at(const Dense& l, std::size_t row, std::size_t column) {
  return l.z.data() + (row * l.y.ld + column) * size_of(l.y.dtype);
}

// Some columns of z over a batch, in L1: at most kBlockColumns.
struct ColumnBlock {
  const KernelTable& kernels;
  const Dense& l;
  std::size_t rows, first, columns;
  ColumnStatistics statistics;
  alignas(kCacheLine) float centre[kBlockColumns] = {};

  // Statistics from sums about `centre`, over chunks of rows and then over chunks.
  void take() {
    alignas(kCacheLine) float sums[kBlockColumns] = {}, squares[kBlockColumns] = {};
    for (std::size_t row = 0; row < rows; row += kSumRows) {
      alignas(kCacheLine) float part_sums[kBlockColumns] = {}, part_squares[kBlockColumns] = {};
      kernels.column_sums[index_of(l.y.dtype)](std::min(kSumRows, rows - row), columns, z_at(l, row, first), l.y.ld,
                                               centre, part_sums, part_squares);
      kernels.add(kBlockColumns, part_sums, sums);
      kernels.add(kBlockColumns, part_squares, squares);
    }
    kernels.batch_statistics(columns, rows, centre, sums, squares, kNormEpsilon, statistics);
  }
  // About the first row, then about the mean that this gives.
  void take_twice() {
    kernels.to_fp32[index_of(l.y.dtype)](columns, z_at(l, 0, first), centre);
    take();
    for (std::size_t i = 0; i < columns; ++i) centre[i] = statistics.mean[i] + statistics.mean_low[i];
    take();
  }
};

}  // namespace

void claim_batch_norm(Dense& l, bool training) {
  const std::size_t width = pad_columns(l.layout.out);
  BatchColumns& c = l.columns;
  for (AlignedBuffer<float>* vector : {&c.mean, &c.rest, &c.rstd, &c.variance}) *vector = AlignedBuffer<float>(width);
  if (training) c.d_gamma = AlignedBuffer<float>(width);
  if (training) c.d_beta = AlignedBuffer<float>(width);
  for (const char* name : {"running_mean", "running_var"}) {
    l.running.push_back({name, AlignedBuffer<float>(width), AlignedBuffer<float>(width)});
  }
}

ColumnStatistics columns_from(Dense& l, std::size_t first) {
  BatchColumns& c = l.columns;
  return {c.mean.data() + first, c.rest.data() + first, c.rstd.data() + first, c.variance.data() + first};
}

void take_batch_statistics(GemmContext& ctx, Dense& l, std::size_t rows) {
  const std::size_t width = l.layout.out, tasks = (width + kBlockColumns - 1) / kBlockColumns;
  auto body = [&](std::size_t task, int) {
    const std::size_t first = task * kBlockColumns;
    ColumnBlock block = {ctx.kernels, l, rows, first, std::min(kBlockColumns, width - first), columns_from(l, first),
                         {}};
    block.take_twice();
  };
  ctx.executor.run(tasks, body, rows * width < kWorthAThread ? 1 : 0);
}

void take_running_statistics(const KernelTable& kernels, Dense& l) {
  kernels.running_statistics(l.layout.out, l.running[0].values.data(), l.running[1].values.data(), kNormEpsilon,
                             columns_from(l));
}

void follow_batch(const KernelTable& kernels, Dense& l, std::size_t rows) {
  kernels.update_running(l.layout.out, rows, columns_from(l), kRunningMomentum, l.running[0].next.data(),
                         l.running[1].next.data());
}

void batch_norm_backward(GemmContext& ctx, Dense& l, std::size_t rows, float* d_z, StorageTarget d) {
  const KernelTable& kernels = ctx.kernels;
  const std::size_t width = pad_columns(l.layout.out), padded = pad_rows(rows);
  float* const totals[] = {l.columns.d_gamma.data(), l.columns.d_beta.data()};
  for (std::size_t p = 0; p < 2; ++p) {
    std::fill_n(totals[p], width, 0.0f);
    for (std::size_t chunk = 0; chunk < sum_chunks(padded); ++chunk) {
      kernels.add(width, l.norm_parameters[p].sums.data() + chunk * width, totals[p]);
    }
  }
  auto body = [&](std::size_t chunk, int) {
    for (std::size_t row = chunk * kSumRows; row < std::min(padded, (chunk + 1) * kSumRows); ++row) {
      float* const here = d_z + row * width;
      if (row < rows) {
        kernels.normalise_columns_backward[index_of(l.y.dtype)](l.layout.out, rows, z_at(l, row, 0), columns_from(l),
                                                                l.norm_parameters[0].values.data(), totals[0],
                                                                totals[1], here);
      } else {
        std::fill_n(here, width, 0.0f);
      }
      if (row % 2 == 1) kernels.store_rows[index_of(d.dtype)](width, here - width, here, shifted(d, row - 1, 0));
    }
  };
  ctx.executor.run(sum_chunks(padded), body, padded * width < kWorthAThread ? 1 : 0);
}

}  // namespace halfstep
