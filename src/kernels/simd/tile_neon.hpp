// The micro-kernel of NEON: 6 rows x 16 columns are 24 accumulators, which leaves eight registers. Left values come
// several to a register and are multiplied by lane, so that none needs a broadcast of its own. A route says how one
// block of k is multiplied; what lies around it is the same for all.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

inline constexpr int kQuads = kLanes / 4;  // registers of a row of the tile
template <int Rows>
using NeonTile = float32x4_t[Rows][kQuads];

// c += right * left[lane], an instruction of its own name for each type. Assembler because GCC 12 makes a broadcast of
// the intrinsic, for which there is no register; by-element forms of 16-bit types take `left` in registers 0 to 15.
#define HS_MULTIPLY_BY_LANE(name, code, registers)                                   \
  HS_INLINE void name(float32x4_t& c, uint32x4_t right, uint32x4_t left, int lane) { \
    __asm__(code : "+w"(c) : "w"(right), registers(left), "i"(lane));                \
  }

// So many bytes in the low part of a register.
template <std::size_t Bytes>
HS_INLINE uint32x4_t load_bytes(const void* p) {
  if constexpr (Bytes == 16) return vld1q_u32(static_cast<const std::uint32_t*>(p));
  if constexpr (Bytes == 8) return vcombine_u32(vld1_u32(static_cast<const std::uint32_t*>(p)), vdup_n_u32(0));
  uint32x4_t x;
  if constexpr (Bytes == 4) __asm__("ldr %s0, %1" : "=w"(x) : "Q"(*static_cast<const std::uint32_t*>(p)));
  return x;
}

// The left operand in units of type T: a value, or with bf16 a pair of k. Rows form has a pointer a row, panel form one
// to row 0.
template <class T, int Rows, bool PanelForm>
struct NeonLeft {
  const T* row[PanelForm ? 1 : Rows];

  // stride counts 4-byte units
  HS_INLINE NeonLeft(const void* lhs, std::size_t stride) {
    HS_UNROLL for (int i = 0; i < (PanelForm ? 1 : Rows); ++i) {
      row[i] = static_cast<const T*>(lhs) + static_cast<std::size_t>(i) * (stride * sizeof(std::uint32_t) / sizeof(T));
    }
  }
  HS_INLINE void advance(std::size_t units) { HS_UNROLL for (const T*& r : row) r += units * (PanelForm ? kLanes : 1); }
};

// `Units` of k of every row, in lanes.
template <class T, int Rows, bool PanelForm, int Units>
struct NeonLeftBlock {
  static constexpr int kPerUnit = (Rows + 3) / 4;  // panel form: registers of a unit
  uint32x4_t v[PanelForm ? Units * kPerUnit : Rows];

  HS_INLINE explicit NeonLeftBlock(const NeonLeft<T, Rows, PanelForm>& a) {
    if constexpr (PanelForm) {
      HS_UNROLL for (int u = 0; u < Units; ++u) {
        HS_UNROLL for (int q = 0; q < Rows / 4; ++q) v[u * kPerUnit + q] =
            load_bytes<4 * sizeof(T)>(a.row[0] + u * kLanes + 4 * q);
        if constexpr (Rows % 4 != 0)
          v[u * kPerUnit + Rows / 4] = load_bytes<2 * sizeof(T)>(a.row[0] + u * kLanes + Rows / 4 * 4);
      }
    } else {
      HS_UNROLL for (int i = 0; i < Rows; ++i) v[i] = load_bytes<Units * sizeof(T)>(a.row[i]);
    }
  }
  HS_INLINE uint32x4_t reg(int i, int u) const { return PanelForm ? v[u * kPerUnit + i / 4] : v[i]; }
  static HS_INLINE int lane(int i, int u) { return PanelForm ? i % 4 : u; }
};

template <class Route, int Rows, bool PanelForm>
void neon_tile(const TileOperands& t) {
  using Left = NeonLeft<typename Route::Lhs, Rows, PanelForm>;
  Left a(t.lhs, t.lhs_stride);
  const auto* b = static_cast<const typename Route::Rhs*>(t.rhs);
  const std::size_t k = t.k, ldc = t.ldc;
  float* c = t.c;
  NeonTile<Rows> acc;
  if (t.accumulate) {
    const float* row = c;
    HS_UNROLL for (int i = 0; i < Rows; ++i, row += ldc) {
      HS_UNROLL for (int j = 0; j < kQuads; ++j) acc[i][j] = vld1q_f32(row + 4 * j);
    }
    Route::template fold<Rows>(acc);
  } else {
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      HS_UNROLL for (int j = 0; j < kQuads; ++j) acc[i][j] = vdupq_n_f32(0.0f);
    }
  }
  constexpr int kBlock = PanelForm ? Route::kPanelBlock : Route::kRowsBlock, kUnit = Route::kUnit;
  std::size_t s = 0;
  for (; s + kBlock <= k; s += kBlock) {
    Route::template step<kBlock, Rows, PanelForm>(acc, a, b);
    a.advance(kBlock / kUnit);
    b += kBlock * kLanes;
  }
  for (; kBlock > 2 && s < k; s += 2) {
    Route::template step<2, Rows, PanelForm>(acc, a, b);
    a.advance(2 / kUnit);
    b += 2 * kLanes;
  }
  __asm__("" : "+r"(c));  // or GCC works out every address before the loop and spills it
  Route::template fold<Rows>(acc);
  HS_UNROLL for (int i = 0; i < Rows; ++i, c += ldc) {
    HS_UNROLL for (int j = 0; j < kQuads; ++j) vst1q_f32(c + 4 * j, acc[i][j]);
  }
}

// A route made for this loop.
template <class Route>
concept ByLane = requires {
  Route::kRowsBlock;
};
template <ByLane Route, int Rows, std::size_t LhsStride>
inline constexpr TileFunction kTile<Route, Rows, 1, LhsStride> = neon_tile<Route, Rows, LhsStride == 1>;
// Some of its instructions take rows in pairs.
template <ByLane Route>
inline constexpr TileFunction kFirstRowTile<Route, 1> = neon_tile<Route, 2, false>;
template <ByLane Route>
inline constexpr std::size_t kTurn<Route> =
    Route::kRowsBlock > Route::kPanelBlock ? Route::kRowsBlock : Route::kPanelBlock;

}  // namespace halfstep::internal::HS_NAMESPACE
