// The bf16 route of CPUs with AVX512-BF16: one instruction takes a pair of k, odd product first, flushed (numerics: the
// same bits as WidenRoute under FTZ and DAZ).
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

struct DotRoute {
  static constexpr bool kWidenLhs = false;
  static constexpr bool kWidens = false;
  static constexpr std::size_t kStep = 2, kUnit = 2;
  using Lhs = std::uint32_t;  // a pair
  using Rhs = std::uint16_t;
  template <int Rows, int Panels, class A>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const A& a, const Rhs* b, std::size_t bs, Widened<false>&) {
    __m512bh right[Panels];
    HS_UNROLL for (int j = 0; j < Panels; ++j) right[j] = (__m512bh)_mm512_loadu_si512(b + j * bs);
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const auto left = (__m512bh)_mm512_set1_epi32(static_cast<int>(a.at(i, 0)));
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j].r[0] = Reg(_mm512_dpbf16_ps(c[i][j].r[0], left, right[j]));
    }
  }
};

template <>
inline constexpr const GemmFamily* kByFma<DotRoute> = &FamilyOf<WidenRoute<Dtype::bf16>>::value;

// The peak of the instruction (body/peak.hpp has that of fma): two products and two sums a lane.
inline double peak_dot_bf16(std::size_t rounds) {
  constexpr int kChains = 16;
  __m512 chain[kChains];
  HS_UNROLL for (int i = 0; i < kChains; ++i) chain[i] = _mm512_set1_ps(static_cast<float>(i));
  const auto ones = (__m512bh)_mm512_set1_epi32(0x3f803f80);
  for (std::size_t r = 0; r < rounds; ++r) {
    HS_UNROLL for (int i = 0; i < kChains; ++i) chain[i] = _mm512_dpbf16_ps(chain[i], ones, ones);
  }
  Wide keep = set(0.0f);
  HS_UNROLL for (int i = 0; i < kChains; ++i) keep.r[0] = keep.r[0] + Reg(chain[i]);
  const double flop = 4.0 * kChains * 16 * static_cast<double>(rounds);
  return sum_lanes(keep) >= 0.0f ? flop : 0.0;
}

}  // namespace halfstep::internal::HS_NAMESPACE
