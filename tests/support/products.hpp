// Operands of the three matrix products in the library's layouts, laid out by the index contract alone, and the plain
// loops that say what must come out.
#pragma once
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "gemm/gemm.hpp"
#include "support/numbers.hpp"

namespace halfstep::test {

using namespace internal;

// A matrix in storage, as rows and as panels. Both have room behind them that nobody may write.
struct StoredMatrix {
  Dtype dtype;
  std::size_t rows, columns, ld, panel_stride;
  AlignedBuffer<std::byte> in_rows, in_panels;

  StoredMatrix(Dtype type, std::size_t r, std::size_t c)
      : dtype(type),
        rows(r),
        columns(c),
        ld(pad_columns(c) + 16),
        panel_stride((r + 2) * kLanes),
        in_rows((r + 2) * ld * size_of(type)),
        in_panels(pad_columns(c) / kLanes * panel_stride * size_of(type)) {}

  void set(std::size_t row, std::size_t column, float value) {
    put(dtype, in_rows.data(), row * ld + column, value);
    put(dtype, in_panels.data(), panel_index(dtype, row, column, panel_stride), value);
  }
  float at(std::size_t row, std::size_t column) const { return get(dtype, in_rows.data(), row * ld + column); }
  std::uint32_t raw_row(std::size_t row, std::size_t column) const {
    return raw(dtype, in_rows.data(), row * ld + column);
  }
  std::uint32_t raw_panel(std::size_t row, std::size_t column) const {
    return raw(dtype, in_panels.data(), panel_index(dtype, row, column, panel_stride));
  }
  void poison() {
    std::memset(in_rows.data(), kCanary, in_rows.size());
    std::memset(in_panels.data(), kCanary, in_panels.size());
  }
  RowsOperand rows_operand() const { return {in_rows.data(), ld, dtype}; }
  PanelsOperand panels_operand() const { return {in_panels.data(), panel_stride, dtype}; }
  StorageTarget target() { return {in_rows.data(), ld, in_panels.data(), panel_stride, dtype}; }
};

// One dense layer's worth of operands; rows is the padded count, `valid` of them hold data.
struct ProductCase {
  Dtype dtype;
  Dtype neighbour;  // storage type of what the epilogues write: of the layer above in forward, below in backward
  std::size_t valid, rows;
  WeightLayout layout;
  StoredMatrix x, d_y, saved;
  AlignedBuffer<float> bias;
  std::vector<float> weight;  // [out][in], as stored
  AlignedBuffer<std::byte> forward, backward;

  // fill(stream, index) gives the values.
  template <class Fill>
  ProductCase(Dtype type, std::size_t batch, std::size_t in, std::size_t out, Fill fill)
      : dtype(type),
        neighbour(type),
        valid(batch),
        rows(pad_rows(batch)),
        layout{.out = out, .in = in},
        x(type, rows, in),
        d_y(type, rows, out),
        saved(type, rows, in),
        bias(pad_columns(out)),
        weight(out * in),
        forward(layout.size() * size_of(type)),
        backward(layout.size() * size_of(type)) {
    for (std::size_t r = 0; r < valid; ++r) {
      for (std::size_t i = 0; i < in; ++i) x.set(r, i, fill(1, r * in + i));
      for (std::size_t i = 0; i < in; ++i) saved.set(r, i, fill(2, r * in + i));
      for (std::size_t o = 0; o < out; ++o) d_y.set(r, o, fill(3, r * out + o));
    }
    for (std::size_t o = 0; o < out; ++o) {
      bias[o] = fill(4, o);
      for (std::size_t i = 0; i < in; ++i) set_weight(o, i, fill(5, o * in + i));
    }
  }

  void set_weight(std::size_t o, std::size_t i, float value) {
    const std::uint32_t stored = rounded(dtype, value);
    weight[o * layout.in + i] = get(dtype, &stored, 0);
    put(dtype, forward.data(), panel_index(dtype, i, o, layout.forward_panel()), value);
    put(dtype, backward.data(), panel_index(dtype, o, i, layout.backward_panel()), value);
  }
};

// Nearest odd neighbour in fp32 of a + b, exact values stay; below the normal range zero, beyond it infinity.
inline float sum_to_odd(double a, double b) {
  double sum = a + b;
  if (!std::isfinite(sum)) return static_cast<float>(sum);
  const double part = sum - a, error = (a - (sum - part)) + (b - part);
  auto word = std::bit_cast<std::uint64_t>(sum);
  if (error != 0 && word % 2 == 0) word += (error > 0) == (sum > 0) ? 1 : -1;  // odd in double first
  constexpr std::uint64_t kDropped = (std::uint64_t{1} << 29) - 1;
  if ((word & kDropped) != 0) word |= kDropped + 1;
  sum = std::bit_cast<double>(word & ~kDropped);
  if (std::fabs(sum) < 0x1p-126) return std::copysign(0.0f, static_cast<float>(sum));
  return static_cast<float>(sum);
}

// BFMMLA's arithmetic: of each pair of k both products, then their sum, then the sum with what was there, each rounded
// to odd and flushed (Arm Architecture Reference Manual, BFDotAdd). K is padded to four.
template <class Lhs, class Rhs>
float matrix_chain(std::size_t k, float start, Lhs lhs, Rhs rhs) {
  auto product = [&](std::size_t i) {
    return i < k ? sum_to_odd(static_cast<double>(lhs(i)) * static_cast<double>(rhs(i)), 0.0) : 0.0f;
  };
  float sum = start;
  for (std::size_t i = 0; i < round_up(k, 4); i += 2) sum = sum_to_odd(sum, sum_to_odd(product(i), product(i + 1)));
  return sum;
}

// A product and a sum, each rounded by itself: what SSE2 does with native math.
template <class Lhs, class Rhs>
float separate_chain(Dtype dtype, std::size_t k, float start, Lhs lhs, Rhs rhs) {
  float sum = start;
  auto take = [&](std::size_t i) {
    const float product = i < k ? lhs(i) * rhs(i) : 0.0f;
    sum = sum + product;
  };
  for (std::size_t i = 0; i < k; i += 2) {
    take(dtype == Dtype::bf16 ? i + 1 : i);
    take(dtype == Dtype::bf16 ? i : i + 1);
  }
  return sum;
}

// The arithmetic that all ISAs promise: one fma a product, k ascending, bf16 pairs odd k first. K is padded to even
// with zeros that take part, which shows in the sign of a zero sum only.
template <class Lhs, class Rhs>
float chain(Dtype dtype, std::size_t k, float start, Lhs lhs, Rhs rhs) {
  float sum = start;
  auto take = [&](std::size_t i) { sum = i < k ? std::fma(lhs(i), rhs(i), sum) : std::fma(0.0f, 0.0f, sum); };
  for (std::size_t i = 0; i < k; i += 2) {
    take(dtype == Dtype::bf16 ? i + 1 : i);
    take(dtype == Dtype::bf16 ? i : i + 1);
  }
  return sum;
}

struct Bounded {
  double value;
  double slack;  // gamma_K |A| |B|, with room for what is flushed to zero
};

// The same product in double, and how far fp32 accumulation may be from it; a native sum, which may round to odd and
// flush each product, twice as far.
template <class Lhs, class Rhs>
Bounded wide_product(std::size_t k, double start, Lhs lhs, Rhs rhs, bool native = false) {
  double sum = start, size = std::fabs(start);
  for (std::size_t i = 0; i < k; ++i) {
    const double product = static_cast<double>(lhs(i)) * static_cast<double>(rhs(i));
    sum += product;
    size += std::fabs(product);
  }
  const double ku = static_cast<double>(k + 2) * (native ? 0x1p-23 : 0x1p-24);
  return {sum, ku / (1 - ku) * size + static_cast<double>(k + 2) * (native ? 0x1p-125 : 0x1p-126)};
}

}  // namespace halfstep::test
