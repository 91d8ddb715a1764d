// fp16 products by FMLAL: both operands as they are stored, each product exact, one rounding with the sum. That is what
// widening and an fma give, bit for bit; fp16 subnormals count under FPCR.FZ (numerics: portable).
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

HS_MULTIPLY_BY_LANE(fmlal, "fmlal %0.4s, %1.4h, %2.h[%3]", "x")
HS_MULTIPLY_BY_LANE(fmlal2, "fmlal2 %0.4s, %1.4h, %2.h[%3]", "x")

struct FmlalRoute : NeonRowsRoute {
  static constexpr bool kWidenLhs = false;
  static constexpr int kUnit = 1, kRowsBlock = 4, kPanelBlock = 2;
  using Lhs = std::uint16_t;
  using Rhs = std::uint16_t;

  template <int K, int Rows, bool PanelForm>
  static HS_INLINE void step(NeonTile<Rows>& c, const NeonLeft<Lhs, Rows, PanelForm>& a, const Rhs* b) {
    const NeonLeftBlock<Lhs, Rows, PanelForm, K> left(a);
    HS_UNROLL for (int k = 0; k < K; ++k) {
      HS_UNROLL for (int j = 0; j < kQuads; j += 2) {
        const uint32x4_t right = load_bytes<16>(b + k * kLanes + 4 * j);
        HS_UNROLL for (int i = 0; i < Rows; ++i) fmlal(c[i][j], right, left.reg(i, k), left.lane(i, k));
        HS_UNROLL for (int i = 0; i < Rows; ++i) fmlal2(c[i][j + 1], right, left.reg(i, k), left.lane(i, k));
      }
    }
  }
};

}  // namespace halfstep::internal::HS_NAMESPACE
