// The arithmetic peak of one core: multiply-adds on registers alone, no memory, enough independent chains to hide any
// latency. An instruction loop of its own, so that a product is measured against the CPU and not against our tiles.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Twelve chains of an instruction with a latency of four to six cycles, twice a cycle; AVX2 has no room for more. The
// scalar table counts plain fused multiply-adds.
inline constexpr int kPeakChains = 12;

inline double peak_fma(std::size_t rounds) {
  Reg chain[kPeakChains];
  HS_UNROLL for (int i = 0; i < kPeakChains; ++i) chain[i] = reg_set(static_cast<float>(i));
  const Reg a = reg_set(0.999999f), b = reg_set(1e-6f);
  for (std::size_t r = 0; r < rounds; ++r) {
    HS_UNROLL for (int i = 0; i < kPeakChains; ++i) chain[i] = fma(a, b, chain[i]);
  }
  Wide keep = set(0.0f);
  HS_UNROLL for (int i = 0; i < kPeakChains; ++i) keep.r[0] = keep.r[0] + chain[i];
  // The sum is finite; asking makes every chain count.
  const double flop = 2.0 * kPeakChains * static_cast<double>(kRegLanes) * static_cast<double>(rounds);
  return sum_lanes(keep) >= 0.0f ? flop : 0.0;
}

}  // namespace halfstep::internal::HS_NAMESPACE
