// One read of a gradient: finite or not, norm and largest magnitude.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Two chains of 16 fp64 lanes; 16 elements at a time go to the chains in turn.
struct ScanState {
  Doubles sums[2][kRegs];
  WideBits largest;
};

template <Dtype D, bool Limited>
HS_INLINE void scan16(ScanState& state, std::size_t chain, const typename Storage<D>::Type* x, const Wide& limit) {
  const Wide v = Storage<D>::load16(x);
  state.largest = larger(state.largest, bits(v) & set_bits(0x7fffffffu));
  const Wide kept = Limited ? clamp(v, limit) : v;
  HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) {
    if constexpr (D == Dtype::fp32 && !Limited) {
      state.sums[chain][r] = add_squares(state.sums[chain][r], x + r * kRegLanes);
    } else {
      state.sums[chain][r] = add_squares(state.sums[chain][r], kept.r[r]);
    }
  }
}

HS_INLINE GradientScan finish(const ScanState& state) {
  double lanes[kLanes];
  alignas(64) std::uint32_t words[kLanes];
  HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) {
    doubles_store(lanes + r * kRegLanes, add(state.sums[0][r], state.sums[1][r]));
    uint_store(words + r * kRegLanes, state.largest.r[r]);
  }
  std::uint32_t largest = 0;
  for (const std::uint32_t word : words) largest = word > largest ? word : largest;
  return {sum_lanes_fp64(lanes), largest};
}

template <Dtype D, bool Limited>
GradientScan scan_limited(std::size_t n, const void* data, float limit) {
  using T = typename Storage<D>::Type;
  const auto* x = static_cast<const T*>(data);
  ScanState state;
  HS_UNROLL for (std::size_t r = 0; r < kRegs; ++r) state.sums[0][r] = state.sums[1][r] = doubles_zero();
  state.largest = set_bits(0);
  const Wide most = set(limit);
  // Four streams keep more lines of memory on their way than one; so does prefetching.
  constexpr std::size_t kStreams = 4, kGroup = 2 * kLanes;
  const std::size_t stream = n / (kStreams * kGroup) * kGroup;
  auto group = [&](const T* p) {
    for (std::size_t line = 0; line < kGroup * sizeof(T); line += 64) {
      prefetch_ahead<512>(reinterpret_cast<const char*>(p) + line);
    }
    scan16<D, Limited>(state, 0, p, most);
    scan16<D, Limited>(state, 1, p + kLanes, most);
  };
  for (std::size_t i = 0; i < stream; i += kGroup) {
    for (std::size_t s = 0; s < kStreams; ++s) group(x + s * stream + i);
  }
  std::size_t i = kStreams * stream;
  for (; i + kGroup <= n; i += kGroup) group(x + i);
  for (std::size_t chain = 0; i < n; i += kLanes, ++chain) {
    alignas(64) T tail[kLanes] = {};
    for (std::size_t j = i; j < n && j < i + kLanes; ++j) tail[j - i] = x[j];
    scan16<D, Limited>(state, chain, tail, most);
  }
  return finish(state);
}

template <Dtype D>
GradientScan scan(std::size_t n, const void* x, float limit) {
  return limit < __builtin_inff() ? scan_limited<D, true>(n, x, limit) : scan_limited<D, false>(n, x, limit);
}

}  // namespace halfstep::internal::HS_NAMESPACE
