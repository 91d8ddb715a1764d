// bf16 products by BFMLALT and BFMLALB: a fused multiply-add into fp32 of the odd and of the even halves of pairs, with
// FPCR's rounding and flush. In that order they give the portable bits without a conversion.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

HS_MULTIPLY_BY_LANE(bfmlalt, "bfmlalt %0.4s, %1.8h, %2.h[%3]", "x")
HS_MULTIPLY_BY_LANE(bfmlalb, "bfmlalb %0.4s, %1.8h, %2.h[%3]", "x")

struct BfmlalRoute : NeonRowsRoute {
  static constexpr bool kWidenLhs = false;
  static constexpr int kUnit = 2, kRowsBlock = 4, kPanelBlock = 2;
  using Lhs = std::uint32_t;  // a pair
  using Rhs = std::uint16_t;

  template <int K, int Rows, bool PanelForm>
  static HS_INLINE void step(NeonTile<Rows>& c, const NeonLeft<Lhs, Rows, PanelForm>& a, const Rhs* b) {
    const NeonLeftBlock<Lhs, Rows, PanelForm, K / 2> left(a);
    HS_UNROLL for (int u = 0; u < K / 2; ++u) {
      HS_UNROLL for (int j = 0; j < kQuads; ++j) {
        const uint32x4_t right = load_bytes<16>(b + u * 2 * kLanes + 8 * j);
        HS_UNROLL for (int i = 0; i < Rows; ++i) bfmlalt(c[i][j], right, left.reg(i, u), 2 * left.lane(i, u) + 1);
        HS_UNROLL for (int i = 0; i < Rows; ++i) bfmlalb(c[i][j], right, left.reg(i, u), 2 * left.lane(i, u));
      }
    }
  }
};

}  // namespace halfstep::internal::HS_NAMESPACE
