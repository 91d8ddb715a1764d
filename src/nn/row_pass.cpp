#include "nn/row_pass.hpp"

#include <algorithm>

namespace halfstep {
namespace {

constexpr std::size_t kPart = 256;  // columns that are worked on at a time, in L1
constexpr std::size_t kTaskRows = 16;
constexpr std::size_t kWorthAThread = std::size_t{1} << 14;  // elements
static_assert(kPart % kRandomGroup == 0 && kTaskRows % 2 == 0 && kSumRows % 2 == 0);

std::size_t index(Dtype dtype) { return static_cast<std::size_t>(dtype); }

template <class Body>
void for_rows(GemmContext& ctx, const Dense& l, std::size_t rows, std::size_t task_rows, Body body) {
  const int threads = rows * l.layout.out < kWorthAThread ? 1 : 0;
  ctx.executor.run((rows + task_rows - 1) / task_rows, body, threads);
}

// One row of a layer, in parts.
struct RowPart {
  const KernelTable& kernels;
  const Dense& l;
  std::size_t row, first, columns;

  std::size_t padded() const { return pad_columns(columns); }
  const std::byte* z() const { return l.z.data() + (row * l.y.ld + first) * size_of(l.y.dtype); }

  // What the activation is given.
  void load(float* x) const {
    const std::size_t dtype = index(l.y.dtype);
    if (l.norm == Norm::none) return kernels.to_fp32[dtype](padded(), z(), x);
    const float* beta = l.norm_parameters.size() > 1 ? l.norm_parameters[1].values.data() + first : nullptr;
    kernels.normalise[dtype](columns, z(), l.statistics[row], l.norm_parameters[0].values.data() + first, beta, x);
  }
  // Every row starts a group of random numbers.
  void drop(const DropoutMask& mask, float* x) const {
    if (mask.dropped == 0) return;
    const std::size_t place = row * round_up(l.layout.out, kRandomGroup) + first;
    kernels.dropout(padded(), x, {mask.seed, mask.stream, place}, mask.dropped);
  }
  void forward(const DropoutMask& mask, float* y) const {
    load(y);
    kernels.activation_forward(l.activation, padded(), y, y);
    drop(mask, y);
    std::fill(y + columns, y + padded(), 0.0f);  // padding stays zero even where the activation of zero is not
  }
  // d in place, from the gradient by y to that by the activation's input.
  void backward(const DropoutMask& mask, float* d) const {
    alignas(kCacheLine) float saved[kPart];
    drop(mask, d);
    if (l.activation == Activation::identity) return;
    load(saved);
    if (!derivative_needs_input(l.activation)) kernels.activation_forward(l.activation, padded(), saved, saved);
    kernels.activation_backward(l.activation, padded(), saved, d, d);
  }
};

template <class F>
void for_each_part(const KernelTable& kernels, const Dense& l, std::size_t row, F f) {
  for (std::size_t first = 0; first < l.layout.out; first += kPart) {
    f(RowPart{kernels, l, row, first, std::min(kPart, l.layout.out - first)});
  }
}

StorageTarget shifted(const StorageTarget& t, std::size_t row, std::size_t column) {
  const std::size_t element = size_of(t.dtype);
  StorageTarget out = t;
  out.rows = static_cast<std::byte*>(t.rows) + (row * t.ld + column) * element;
  if (t.panels) {
    out.panels = static_cast<std::byte*>(t.panels) + (column / kLanes * t.panel_stride + row * kLanes) * element;
  }
  return out;
}

// The gradient by the row that was normalised, in place.
void normalise_row_backward(const KernelTable& kernels, Dense& l, std::size_t row, float* d) {
  if (l.norm == Norm::none) return;
  const std::size_t sums = row / kSumRows * pad_columns(l.layout.out);
  float* beta_sums = l.norm_parameters.size() > 1 ? l.norm_parameters[1].sums.data() + sums : nullptr;
  kernels.normalise_backward[index(l.y.dtype)](l.norm, l.layout.out, l.z.data() + row * l.y.ld * size_of(l.y.dtype),
                                               l.statistics[row], l.norm_parameters[0].values.data(), d,
                                               l.norm_parameters[0].sums.data() + sums, beta_sums);
}

}  // namespace

void claim_norm(Dense& l, std::size_t rows, bool training) {
  const std::size_t width = pad_columns(l.layout.out);
  l.statistics = AlignedBuffer<RowStatistics>(rows);
  for (const char* name : {"gamma", "beta"}) {
    if (l.norm == Norm::rms && !l.norm_parameters.empty()) break;
    NormParameter p{name, AlignedBuffer<float>(width), {}, {}};
    if (training) p.grad = AlignedBuffer<float>(width);
    if (training) p.sums = AlignedBuffer<float>(sum_chunks(rows) * width);
    l.norm_parameters.push_back(std::move(p));
  }
  std::fill_n(l.norm_parameters[0].values.begin(), l.layout.out, 1.0f);
}

void forward_rows(GemmContext& ctx, Dense& l, std::size_t rows, const DropoutMask& mask, StorageTarget y) {
  const KernelTable& kernels = ctx.kernels;
  for_rows(ctx, l, rows, kTaskRows, [&](std::size_t task, int) {
    alignas(kCacheLine) float wide[2][kPart];
    for (std::size_t row = task * kTaskRows; row < std::min(rows, (task + 1) * kTaskRows); row += 2) {
      for (std::size_t r = row; r < row + 2 && l.norm != Norm::none; ++r) {
        const std::byte* z = l.z.data() + r * l.y.ld * size_of(l.y.dtype);
        l.statistics[r] = kernels.row_statistics[index(l.y.dtype)](l.norm, l.layout.out, z, kNormEpsilon);
      }
      for_each_part(kernels, l, row, [&](RowPart part) {
        part.forward(mask, wide[0]);
        ++part.row;
        part.forward(mask, wide[1]);
        kernels.store_rows[index(y.dtype)](part.padded(), wide[0], wide[1], shifted(y, row, part.first));
      });
    }
  });
}

void backward_rows(GemmContext& ctx, Dense& l, std::size_t rows, const DropoutMask& mask, float* d_y, StorageTarget d,
                   float* sums) {
  const KernelTable& kernels = ctx.kernels;
  const std::size_t width = pad_columns(l.layout.out);
  for_rows(ctx, l, rows, kSumRows, [&](std::size_t chunk, int) {
    std::fill_n(sums + chunk * width, width, 0.0f);
    for (NormParameter& p : l.norm_parameters) std::fill_n(p.sums.data() + chunk * width, width, 0.0f);
    const std::size_t end = std::min(rows, (chunk + 1) * kSumRows);
    for (std::size_t row = chunk * kSumRows; row < end; ++row) {
      float* const here = d_y + row * width;
      for_each_part(kernels, l, row, [&](const RowPart& part) { part.backward(mask, here + part.first); });
      normalise_row_backward(kernels, l, row, here);
      kernels.add(width, here, sums + chunk * width);
      if (row % 2 == 1) kernels.store_rows[index(d.dtype)](width, here - width, here, shifted(d, row - 1, 0));
    }
  });
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
