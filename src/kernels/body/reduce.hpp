// Sums with one shape on every ISA.
#pragma once

namespace halfstep::HS_NAMESPACE {

// Sum of squares, n a multiple of 16. Eight chains of 16 lanes in fp32, then a tree that ends in fp64. Where fp32 would
// overflow or lose the sum to underflow, the slow fp64 way: gradients of 1e20 still have a finite norm, and inf or NaN
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
  double wide = 0;
  for (std::size_t j = 0; j < n; ++j) wide += static_cast<double>(x[j]) * static_cast<double>(x[j]);
  return wide;
}

inline void add(std::size_t n, const float* x, float* sum) {
  for (std::size_t i = 0; i < n; i += kLanes) store(sum + i, load(sum + i) + load(x + i));
}

inline void clamp(std::size_t n, float limit, float* x) {
  for (std::size_t i = 0; i < n; i += kLanes) store(x + i, clamp(load(x + i), set(limit)));
}

}  // namespace halfstep::HS_NAMESPACE
