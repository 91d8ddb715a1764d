// bf16 products by BFMMLA: 2 x 2 sums over four k in one instruction, each a pair after the other, rounded to odd and
// flushed (Arm ARM, BFMatMulAdd). Not the portable bits. The panels' pairs serve it: two neighbouring rows of pairs
// zipped are two columns of four k.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

struct BfmmlaRoute {
  static constexpr bool kWidenLhs = false;
  static constexpr int kUnit = 2, kRowsBlock = 4, kPanelBlock = 4;
  using Lhs = std::uint32_t;  // a pair
  using Rhs = std::uint16_t;

  // Two rows of four columns to two 2 x 2 blocks, and back.
  template <int Rows>
  static HS_INLINE void fold(NeonTile<Rows>& c) {
    HS_UNROLL for (int i = 0; i < Rows; i += 2) {
      HS_UNROLL for (int j = 0; j < kQuads; ++j) {
        const float64x2_t x = vreinterpretq_f64_f32(c[i][j]), y = vreinterpretq_f64_f32(c[i + 1][j]);
        c[i][j] = vreinterpretq_f32_f64(vzip1q_f64(x, y));
        c[i + 1][j] = vreinterpretq_f32_f64(vzip2q_f64(x, y));
      }
    }
  }

  // Rows 2p and 2p+1 over four k, the last two zero where K is 2.
  template <int K, int Rows, bool PanelForm>
  static HS_INLINE void read(uint32x4_t (&left)[Rows / 2], const NeonLeft<Lhs, Rows, PanelForm>& a) {
    if constexpr (PanelForm) {
      const NeonLeftBlock<Lhs, Rows, true, K / 2> block(a);
      HS_UNROLL for (int i = 0; i < Rows; i += 2) {
        const uint32x4_t first = block.reg(i, 0), second = K == 4 ? block.reg(i, K / 2 - 1) : vdupq_n_u32(0);
        left[i / 2] = i % 4 == 0 ? vzip1q_u32(first, second) : vzip2q_u32(first, second);
      }
    } else {
      HS_UNROLL for (int i = 0; i < Rows; i += 2) {
        left[i / 2] =
            vcombine_u32(vget_low_u32(load_bytes<2 * K>(a.row[i])), vget_low_u32(load_bytes<2 * K>(a.row[i + 1])));
      }
    }
  }

  template <int K, int Rows, bool PanelForm>
  static HS_INLINE void step(NeonTile<Rows>& c, const NeonLeft<Lhs, Rows, PanelForm>& a, const Rhs* b) {
    uint32x4_t left[Rows / 2];
    read<K>(left, a);
    HS_UNROLL for (int j = 0; j < kQuads; ++j) {
      const uint32x4_t first = load_bytes<16>(b + 8 * j),
                       second = K == 4 ? load_bytes<16>(b + 2 * kLanes + 8 * j) : vdupq_n_u32(0);
      const bfloat16x8_t low = vreinterpretq_bf16_u32(vzip1q_u32(first, second)),
                         high = vreinterpretq_bf16_u32(vzip2q_u32(first, second));
      HS_UNROLL for (int i = 0; i < Rows; i += 2) {
        const bfloat16x8_t l = vreinterpretq_bf16_u32(left[i / 2]);
        c[i][j] = vbfmmlaq_f32(c[i][j], l, low);
        c[i + 1][j] = vbfmmlaq_f32(c[i + 1][j], l, high);
      }
    }
  }
};
template <>
inline constexpr bool kNative<BfmmlaRoute> = true;

// The peak of the instruction (body/peak.hpp has that of fma): 16 products and sums.
inline double peak_bfmmla(std::size_t rounds) {
  constexpr int kChains = 16;
  float32x4_t chain[kChains];
  HS_UNROLL for (int i = 0; i < kChains; ++i) chain[i] = vdupq_n_f32(static_cast<float>(i));
  uint32x4_t words = vdupq_n_u32(0x3f803f80u);
  __asm__("" : "+w"(words));  // or GCC 12 makes fp16 ones of the constant
  const bfloat16x8_t ones = vreinterpretq_bf16_u32(words);
  for (std::size_t r = 0; r < rounds; ++r) {
    HS_UNROLL for (int i = 0; i < kChains; ++i) chain[i] = vbfmmlaq_f32(chain[i], ones, ones);
  }
  Wide keep = set(0.0f);
  HS_UNROLL for (int i = 0; i < kChains; ++i) keep.r[0] = keep.r[0] + Reg(chain[i]);
  const double flop = 2.0 * 16 * kChains * static_cast<double>(rounds);
  return sum_lanes(keep) >= 0.0f ? flop : 0.0;
}

}  // namespace halfstep::internal::HS_NAMESPACE
