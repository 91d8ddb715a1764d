// Sums with one shape on every ISA.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Sum of squares, n a multiple of 16. Eight chains of 16 lanes in fp32, then a tree that ends in fp64. Where fp32 would
// overflow or lose the sum to underflow, again in fp64: gradients of 1e20 still have a finite norm, and inf or NaN
// still show.
inline double sum_squares(std::size_t n, const float* x) {
  Wide chain[8];
  for (auto& c : chain) c = set(0.0f);
  std::size_t i = 0;
  for (; i + 8 * kLanes <= n; i += 8 * kLanes) {
    HS_UNROLL for (std::size_t j = 0; j < 8; ++j) {
      const Wide v = load(x + i + j * kLanes);
      chain[j] = fma(v, v, chain[j]);
    }
  }
  for (std::size_t j = 0; i < n; i += kLanes, ++j) {
    const Wide v = load(x + i);
    chain[j] = fma(v, v, chain[j]);
  }
  const Wide quarter0 = (chain[0] + chain[4]) + (chain[2] + chain[6]);
  const Wide quarter1 = (chain[1] + chain[5]) + (chain[3] + chain[7]);
  alignas(64) float lanes[kLanes];
  store(lanes, quarter0 + quarter1);
  double wide_lanes[kLanes];
  for (std::size_t j = 0; j < kLanes; ++j) wide_lanes[j] = lanes[j];
  const double sum = sum_lanes_fp64(wide_lanes);
  if (sum > 0x1p-80 && sum < 0x1p126) return sum;
  return scan<Dtype::fp32>(n, x, __builtin_inff()).squares;
}

// Sum of a row of at most 1024 columns; lanes beyond its end do not count.
template <Dtype D>
HS_INLINE float part_sum(std::size_t columns, const typename Storage<D>::Type* x) {
  Wide chain[4];
  for (auto& c : chain) c = set(0.0f);
  std::size_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes) {
    HS_UNROLL for (std::size_t j = 0; j < 4; ++j) {
      if (j * kLanes * sizeof(*x) % 64 == 0) prefetch_ahead<3 * kAhead>(x + i + j * kLanes);  // nothing is written
      chain[j] = chain[j] + Storage<D>::load16(x + i + j * kLanes);
    }
  }
  HS_UNROLL for (std::size_t j = 0; j < 4; ++j) {
    const std::size_t at = i + j * kLanes, valid = columns - at < kLanes ? columns - at : kLanes;
    if (at < columns) chain[j] = chain[j] + keep_lanes(Storage<D>::load16(x + at), valid);
  }
  return sum_lanes((chain[0] + chain[2]) + (chain[1] + chain[3]));
}

template <Dtype D>
void row_sums(std::size_t rows, std::size_t columns, const void* data, std::size_t ld, double* sums) {
  constexpr std::size_t kPart = 1024;
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  for (std::size_t r = 0; r < rows; ++r, x += ld) {
    sums[r] = 0;
    for (std::size_t i = 0; i < columns; i += kPart) {
      sums[r] += static_cast<double>(part_sum<D>(columns - i < kPart ? columns - i : kPart, x + i));
    }
  }
}

inline void add(std::size_t n, const float* x, float* sum) {
  for (std::size_t i = 0; i < n; i += kLanes) store(sum + i, load(sum + i) + load(x + i));
}

template <Dtype D>
void add_stored(std::size_t n, const void* data, float* sum) {
  const auto* x = static_cast<const typename Storage<D>::Type*>(data);
  for (std::size_t i = 0; i < n; i += kLanes) store(sum + i, load(sum + i) + Storage<D>::load16(x + i));
}

inline void clamp(std::size_t n, float limit, float* x) {
  for (std::size_t i = 0; i < n; i += kLanes) store(x + i, clamp(load(x + i), set(limit)));
}

}  // namespace halfstep::internal::HS_NAMESPACE
