#include "nn/row_pass.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "gemm/tiling.hpp"
#include "nn/batch_norm.hpp"

namespace halfstep {
namespace {

constexpr std::size_t kPart = 256;       // columns that are worked on at a time, in L1
constexpr std::size_t kWholeRow = 2048;  // a row that is normalised is widened once where two of them stay in L1
constexpr std::size_t kTaskRows = 16;
static_assert(kPart % kRandomGroup == 0 && kTaskRows % 2 == 0 && kSumRows % 2 == 0);

template <class Body>
void for_rows(GemmContext& ctx, const Dense& l, std::size_t rows, std::size_t task_rows, Body body) {
  const int threads = rows * l.layout.out < kWorthAThread ? 1 : 0;
  ctx.executor.run((rows + task_rows - 1) / task_rows, body, threads);
}

const float* gamma_of(const Dense& l) { return l.norm_parameters[0].values.data(); }
const float* beta_of(const Dense& l) {
  return l.norm_parameters.size() > 1 ? l.norm_parameters[1].values.data() : nullptr;
}

// One row of a layer, in parts.
struct RowPart {
  const KernelTable& kernels;
  Dense& l;
  std::size_t row, first, columns;
  bool centred;  // load finds z less its mean in x, as fp32

  std::size_t padded() const { return pad_columns(columns); }
  const std::byte* z() const { return l.z.data() + (row * l.y.ld + first) * size_of(l.y.dtype); }

  // What the activation is given.
  void load(float* x) const {
    const std::size_t dtype = index_of(l.y.dtype);
    if (l.norm == Norm::none) return kernels.to_fp32[dtype](padded(), z(), x);
    const float *gamma = gamma_of(l) + first, *beta = beta_of(l) ? beta_of(l) + first : nullptr;
    if (l.norm == Norm::batch)
      return kernels.normalise_columns[dtype](columns, z(), columns_from(l, first), gamma, beta, x);
    RowStatistics statistics = l.statistics[row];
    if (!centred) return kernels.normalise[dtype](columns, z(), statistics, gamma, beta, x);
    statistics.mean = 0;
    kernels.normalise[index_of(Dtype::fp32)](columns, x, statistics, gamma, beta, x);
  }
  // Every row starts a group of random numbers.
  void drop(const DropoutMask& mask, float* x) const {
    if (mask.dropped == 0) return;
    const std::size_t place = row * round_up(l.layout.out, kRandomGroup) + first;
    kernels.dropout(padded(), x, {mask.seed, mask.stream, place}, mask.dropped);
  }
  void forward(const DropoutMask& mask, const RowsOperand& x, float* y) const {
    load(y);
    kernels.activate[index_of(l.y.dtype)](l.activation, padded(), y, y);
    drop(mask, y);
    if (x.data) {
      const std::byte* skip = at(x.data, (row * x.ld + first) * size_of(x.dtype));
      kernels.add_stored[index_of(x.dtype)](padded(), skip, y);
    }
    std::fill(y + columns, y + padded(), 0.0f);  // padding stays zero even where the activation of zero is not
  }
  void zero(float* y) const { std::fill(y, y + padded(), 0.0f); }
  // d in place, from the gradient by y to that by the activation's input, which will be stored as `dtype`.
  void backward(const DropoutMask& mask, Dtype dtype, float* d) const {
    alignas(kCacheLine) float saved[kPart];
    drop(mask, d);
    if (l.activation == Activation::identity) return;
    load(saved);
    if (!derivative_needs_input(l.activation))
      kernels.activate[index_of(l.y.dtype)](l.activation, padded(), saved, saved);
    kernels.differentiate[index_of(dtype)](l.activation, padded(), saved, d, d);
  }
};

template <class F>
void for_each_part(const KernelTable& kernels, Dense& l, std::size_t row, F f) {
  for (std::size_t first = 0; first < l.layout.out; first += kPart) {
    f(RowPart{kernels, l, row, first, std::min(kPart, l.layout.out - first), false});
  }
}

// The gradient by the row that was normalised, in place; for Norm::batch its sums only.
void normalise_row_backward(const KernelTable& kernels, Dense& l, std::size_t row, float* d) {
  if (l.norm == Norm::none) return;
  const std::size_t dtype = index_of(l.y.dtype), sums = row / kSumRows * pad_columns(l.layout.out);
  const std::byte* z = l.z.data() + row * l.y.ld * size_of(l.y.dtype);
  float* gamma_sums = l.norm_parameters[0].sums.data() + sums;
  float* beta_sums = l.norm_parameters.size() > 1 ? l.norm_parameters[1].sums.data() + sums : nullptr;
  if (l.norm == Norm::batch) {
    return kernels.normalise_columns_sums[dtype](l.layout.out, z, columns_from(l), d, gamma_sums, beta_sums);
  }
  kernels.normalise_backward[dtype](l.norm, l.layout.out, z, l.statistics[row], l.norm_parameters[0].values.data(), d,
                                    gamma_sums, beta_sums);
}

// Lines that are written soon.
void ask_for(const std::byte* p, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += kCacheLine) __builtin_prefetch(p + i, 1);
}

bool takes_row_statistics(const Dense& l) { return l.norm == Norm::layer || l.norm == Norm::rms; }

// Rows that exist to the layer: to BatchNorm a zero row behind an odd count does not, and to the others it is harmless.
std::size_t rows_that_count(const Dense& l, std::size_t rows) { return l.norm == Norm::batch ? rows : pad_rows(rows); }

}  // namespace

void claim_norm(Dense& l, std::size_t rows, bool training) {
  const std::size_t width = pad_columns(l.layout.out);
  if (takes_row_statistics(l)) l.statistics = AlignedBuffer<RowStatistics>(rows);
  for (const char* name : {"gamma", "beta"}) {
    if (l.norm == Norm::rms && !l.norm_parameters.empty()) break;
    NormParameter p{name, AlignedBuffer<float>(width), {}, {}};
    if (training) p.grad = AlignedBuffer<float>(width);
    if (training) p.sums = AlignedBuffer<float>(sum_chunks(rows) * width);
    l.norm_parameters.push_back(std::move(p));
  }
  if (l.norm == Norm::batch) claim_batch_norm(l, training);
}

void initialise_norm(Dense& l) {
  for (NormParameter& p : l.norm_parameters) {
    std::fill_n(p.values.begin(), l.layout.out, &p == &l.norm_parameters.front() ? 1.0f : 0.0f);
  }
  for (RunningStatistic& s : l.running) {
    for (auto* values : {&s.values, &s.next}) {
      std::fill_n(values->begin(), l.layout.out, &s == &l.running.back() ? 1.0f : 0.0f);
    }
  }
}

void forward_rows(GemmContext& ctx, Dense& l, std::size_t rows, const DropoutMask& mask, RowsOperand x,
                  StorageTarget y) {
  const KernelTable& kernels = ctx.kernels;
  const std::size_t padded = pad_rows(rows), count = rows_that_count(l, rows), dtype = index_of(l.y.dtype);
  const bool normalised = takes_row_statistics(l), whole = normalised && l.layout.out <= kWholeRow;
  const bool cheap = l.activation == Activation::identity || l.activation == Activation::relu;
  const bool at_once = whole && cheap && mask.dropped == 0 && !x.data;
  for_rows(ctx, l, padded, kTaskRows, [&](std::size_t task, int) {
    alignas(kCacheLine) float wide[2][kWholeRow];
    auto finish = [&](RowPart part) {
      part.forward(mask, x, wide[0]);
      ++part.row;
      part.row < count ? part.forward(mask, x, wide[1]) : part.zero(wide[1]);
      kernels.store_rows[index_of(y.dtype)](part.padded(), wide[0], wide[1], shifted(y, part.row - 1, part.first));
    };
    const std::size_t end = std::min(padded, (task + 1) * kTaskRows);
    for (std::size_t row = task * kTaskRows; row < end; row += 2) {
      const std::byte* z = l.z.data() + row * l.y.ld * size_of(l.y.dtype);
      if (normalised) {
        kernels.row_statistics[dtype](l.norm, l.layout.out, z, l.y.ld, kNormEpsilon, whole ? wide[0] : nullptr,
                                      kWholeRow, &l.statistics[row]);
      }
      if (!whole) {
        for_each_part(kernels, l, row, finish);
      } else if (!at_once) {
        finish({kernels, l, row, 0, l.layout.out, true});
      } else {
        kernels.normalise_rows[index_of(y.dtype)](l.activation, l.layout.out, wide[0], kWholeRow, &l.statistics[row],
                                                  gamma_of(l), beta_of(l), shifted(y, row, 0));
      }
    }
  });
}

void backward_rows(GemmContext& ctx, Dense& l, std::size_t rows, const DropoutMask& mask, const float* d_y, float* d_z,
                   StorageTarget d, float* sums) {
  const KernelTable& kernels = ctx.kernels;
  const std::size_t width = pad_columns(l.layout.out), count = rows_that_count(l, rows);
  const bool by_row = l.norm != Norm::batch;
  for_rows(ctx, l, pad_rows(rows), kSumRows, [&](std::size_t chunk, int) {
    std::fill_n(sums + chunk * width, width, 0.0f);
    for (NormParameter& p : l.norm_parameters) std::fill_n(p.sums.data() + chunk * width, width, 0.0f);
    const std::size_t end = std::min(count, (chunk + 1) * kSumRows);
    for (std::size_t row = chunk * kSumRows; row < end; ++row) {
      float* const here = d_z + row * width;
      if (d_z != d_y) std::copy_n(d_y + row * width, width, here);
      if (by_row)
        ask_for(static_cast<const std::byte*>(d.rows) + row * d.ld * size_of(d.dtype), width * size_of(d.dtype));
      for_each_part(kernels, l, row, [&](const RowPart& part) { part.backward(mask, d.dtype, here + part.first); });
      normalise_row_backward(kernels, l, row, here);
      if (!by_row) continue;
      kernels.add(width, here, sums + chunk * width);
      if (row % 2 == 1) kernels.store_rows[index_of(d.dtype)](width, here - width, here, shifted(d, row - 1, 0));
    }
  });
  // Their sums stay zero: what a bias adds to a column, BatchNorm takes away.
  if (!by_row) batch_norm_backward(ctx, l, rows, d_z, d);
}

void norm_gradient(GemmContext& ctx, Dense& l, std::size_t rows, bool accumulate) {
  for (NormParameter& p : l.norm_parameters) {
    const std::size_t width = p.grad.size();
    if (!accumulate) std::fill(p.grad.begin(), p.grad.end(), 0.0f);
    for (std::size_t chunk = 0; chunk < sum_chunks(rows); ++chunk) {
      ctx.kernels.add(width, p.sums.data() + chunk * width, p.grad.data());
    }
    p.squares = ctx.kernels.sum_squares(width, p.grad.data());
  }
}

}  // namespace halfstep
