// The micro-kernel: a tile of rows x panels kept in registers while k runs. One template for every ISA and type; what
// differs is how one step of k reads the right panel and the left values (a Route).
#pragma once

namespace halfstep::HS_NAMESPACE {

// fp32 lhs, rhs of type D converted in registers, one k a step.
template <Dtype D>
struct WidenRoute {
  static constexpr bool kWidenLhs = D != Dtype::fp32;
  static constexpr std::size_t kStep = 1;  // k of one step
  using Lhs = float;
  using Rhs = typename Storage<D>::Type;
  template <int Rows, int Panels, std::size_t LhsK>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const Lhs* a, std::size_t stride, const Rhs* b, std::size_t bs) {
    Wide right[Panels];
    HS_UNROLL for (int j = 0; j < Panels; ++j) right[j] = Storage<D>::load16(b + j * bs);
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const Wide left = set(a[i * stride]);
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = fma(left, right[j], c[i][j]);
    }
  }
};

// bf16 pairs through fp32 fma: the odd k first, then the even one, as vdpbf16ps does.
struct PairRoute {
  static constexpr bool kWidenLhs = true;
  static constexpr std::size_t kStep = 2;
  using Lhs = float;
  using Rhs = std::uint16_t;
  template <int Rows, int Panels, std::size_t LhsK>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const Lhs* a, std::size_t stride, const Rhs* b, std::size_t bs) {
    Wide odd[Panels], even[Panels];
    HS_UNROLL for (int j = 0; j < Panels; ++j) {
      const WideBits pairs = load_pairs(b + j * bs);
      odd[j] = widen_high(pairs);
      even[j] = widen_low(pairs);
    }
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const Wide left = set(a[i * stride + LhsK]);
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = fma(left, odd[j], c[i][j]);
    }
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const Wide left = set(a[i * stride]);
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = fma(left, even[j], c[i][j]);
    }
  }
};

// LhsStride 0: rows form, the stride is a run-time value and k is contiguous. 1: panel form, k is kLanes apart.
template <class Route, int Rows, int Panels, std::size_t LhsStride>
void tile(std::size_t k, const void* lhs, std::size_t lhs_stride, const void* rhs, std::size_t rhs_stride, float* c,
          std::size_t ldc, bool accumulate) {
  // Distance in Lhs units between two k of one row; a pair of bf16 counts as one unit.
  constexpr std::size_t kUnits =
      sizeof(typename Route::Lhs) == 4 && !Route::kWidenLhs && Route::kStep == 2 ? 1 : Route::kStep;
  constexpr std::size_t kLhsK = LhsStride == 0 ? 1 : kLanes;
  const auto* a = static_cast<const typename Route::Lhs*>(lhs);
  const auto* b = static_cast<const typename Route::Rhs*>(rhs);
  const std::size_t stride = LhsStride == 0 ? lhs_stride : LhsStride;
  Wide acc[Rows][Panels];
  HS_UNROLL for (int i = 0; i < Rows; ++i) {
    HS_UNROLL for (int j = 0; j < Panels; ++j) acc[i][j] = accumulate ? load(c + i * ldc + j * kLanes) : set(0.0f);
  }
  for (std::size_t s = 0; s < k; s += Route::kStep) {
    Route::template step<Rows, Panels, kLhsK>(acc, a, stride, b, rhs_stride);
    a += kUnits * kLhsK;
    b += Route::kStep * kLanes;
  }
  HS_UNROLL for (int i = 0; i < Rows; ++i) {
    HS_UNROLL for (int j = 0; j < Panels; ++j) store(c + i * ldc + j * kLanes, acc[i][j]);
  }
}

// Six rows by four 512-bit panels are 24 accumulators, 4 registers of rhs and one broadcast out of 32; with 16
// registers of 256 bits, six rows by one panel (two registers) are 12 + 2 + 1. NEON's 32 of 128 bits hold 6 x 4 + 4
// + 1.
inline constexpr int kMaxPanels = kRegLanes == 16 ? 4 : 1;

template <class Route, int Panels>
constexpr void fill_tiles(GemmFamily& family) {
  if constexpr (Panels <= kMaxPanels) {
    family.rows_tile[0][Panels - 1] = tile<Route, 2, Panels, 0>;
    family.rows_tile[1][Panels - 1] = tile<Route, 4, Panels, 0>;
    family.rows_tile[2][Panels - 1] = tile<Route, 6, Panels, 0>;
    family.panel_tile[0][Panels - 1] = tile<Route, 2, Panels, 1>;
    family.panel_tile[1][Panels - 1] = tile<Route, 4, Panels, 1>;
    family.panel_tile[2][Panels - 1] = tile<Route, 6, Panels, 1>;
    fill_tiles<Route, Panels + 1>(family);
  }
}

template <class Route>
constexpr GemmFamily gemm_family() {
  GemmFamily family = {};
  family.max_rows = 6;
  family.max_panels = kMaxPanels;
  family.widen_lhs = Route::kWidenLhs;
  fill_tiles<Route, 1>(family);
  return family;
}

}  // namespace halfstep::HS_NAMESPACE
