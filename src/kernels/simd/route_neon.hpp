// Baseline NEON: fma by lane on a left operand in fp32; 16-bit right operands are converted as they are loaded.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// The base of NEON routes: accumulators lie as the tile does.
struct NeonRowsRoute {
  template <int Rows>
  static HS_INLINE void fold(NeonTile<Rows>&) {}
};

HS_MULTIPLY_BY_LANE(fmla, "fmla %0.4s, %1.4s, %2.s[%3]", "w")

template <Dtype D>
struct NeonFmaRoute : NeonRowsRoute {
  static constexpr bool kWidenLhs = D != Dtype::fp32;
  static constexpr int kUnit = 1, kRowsBlock = 4, kPanelBlock = 2;
  using Lhs = float;
  using Rhs = typename Storage<D>::Type;

  // Columns 4j to 4j+3 of row k of a panel.
  static HS_INLINE uint32x4_t right(const Rhs* b, int k, int j) {
    if constexpr (D == Dtype::bf16) {
      uint32x4_t pairs = load_bytes<16>(b + k / 2 * 2 * kLanes + 8 * j);
      if (k % 2 == 0) return vshlq_n_u32(pairs, 16);
      __asm__("bic %0.4s, #255\n\tbic %0.4s, #255, lsl 8" : "+w"(pairs));  // no register is free for a mask
      return pairs;
    } else if constexpr (D == Dtype::fp16) {
      return vreinterpretq_u32_f32(load_fp16(b + k * kLanes + 4 * j));
    } else {
      return load_bytes<16>(b + k * kLanes + 4 * j);
    }
  }

  template <int K, int Rows, bool PanelForm>
  static HS_INLINE void step(NeonTile<Rows>& c, const NeonLeft<Lhs, Rows, PanelForm>& a, const Rhs* b) {
    const NeonLeftBlock<Lhs, Rows, PanelForm, K> left(a);
    HS_UNROLL for (int step = 0; step < K; ++step) {
      const int k = D == Dtype::bf16 ? step ^ 1 : step;  // of a pair the odd one first; so lies the left operand
      HS_UNROLL for (int j = 0; j < kQuads; ++j) {
        const uint32x4_t r = right(b, k, j);
        HS_UNROLL for (int i = 0; i < Rows; ++i) { fmla(c[i][j], r, left.reg(i, step), left.lane(i, step)); }
      }
    }
  }
};

}  // namespace halfstep::internal::HS_NAMESPACE
