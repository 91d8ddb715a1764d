// The micro-kernel: a tile of rows x panels kept in registers while k runs. One template for every ISA and type; what
// differs is how one step of k reads the right panel and the left values (a Route).
#pragma once

namespace halfstep::HS_NAMESPACE {

// Where the left values of a step are: element k of row i. Rows far apart are reached from a pointer for every four of
// them, which x86 can address with one register for the stride and one for three times the stride; a single pointer and
// fifteen offsets would not fit.
template <class T, int Rows, std::size_t LhsStride>
struct LhsRows {
  static constexpr int kPointers = LhsStride == 0 ? (Rows + 3) / 4 : 1;
  static constexpr std::size_t kNextK =
      LhsStride == 0 ? 1 : kLanes;  // rows form: k is contiguous; panel form: rows are
  const T* pointer[kPointers];
  std::size_t stride;

  HS_INLINE LhsRows(const void* lhs, std::size_t lhs_stride) : stride(LhsStride == 0 ? lhs_stride : LhsStride) {
    HS_UNROLL for (int p = 0; p < kPointers; ++p) pointer[p] = static_cast<const T*>(lhs) + 4 * p * stride;
  }
  HS_INLINE T at(int i, std::size_t k) const {
    return LhsStride == 0 ? pointer[i / 4][i % 4 * stride + k] : pointer[0][i * LhsStride + k * kNextK];
  }
  HS_INLINE void advance(std::size_t k) {
    HS_UNROLL for (int p = 0; p < kPointers; ++p) {
      pointer[p] += k * kNextK;
      if (kPointers > 1) __asm__("" : "+r"(pointer[p]));  // GCC would derive one from the other
    }
  }
};

// fp32 lhs, rhs of type D converted in registers, one k a step.
template <Dtype D>
struct WidenRoute {
  static constexpr bool kWidenLhs = D != Dtype::fp32;
  static constexpr std::size_t kStep = 1;     // k of one step
  static constexpr std::size_t kLhsStep = 1;  // and what that is in Lhs units
  using Lhs = float;
  using Rhs = typename Storage<D>::Type;
  template <int Rows, int Panels, class A>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const A& a, const Rhs* b, std::size_t bs) {
    Wide right[Panels];
    HS_UNROLL for (int j = 0; j < Panels; ++j) right[j] = Storage<D>::load16(b + j * bs);
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const Wide left = set(a.at(i, 0));
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = fma(left, right[j], c[i][j]);
    }
  }
};

// bf16 pairs through fp32 fma: the odd k first, then the even one, as vdpbf16ps does.
struct PairRoute {
  static constexpr bool kWidenLhs = true;
  static constexpr std::size_t kStep = 2, kLhsStep = 2;
  using Lhs = float;
  using Rhs = std::uint16_t;
  template <int Rows, int Panels, class A>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const A& a, const Rhs* b, std::size_t bs) {
    Wide right[Panels];
    HS_UNROLL for (int j = 0; j < Panels; ++j) right[j] = load_odd16(b + j * bs);
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const Wide left = set(a.at(i, 1));
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = fma(left, right[j], c[i][j]);
    }
    HS_UNROLL for (int j = 0; j < Panels; ++j) right[j] = load_even16(b + j * bs);
    HS_UNROLL for (int i = 0; i < Rows; ++i) {
      const Wide left = set(a.at(i, 0));
      HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = fma(left, right[j], c[i][j]);
    }
  }
};

// LhsStride 0: rows form, the stride is a run-time value. 1: panel form.
template <class Route, int Rows, int Panels, std::size_t LhsStride>
void tile(std::size_t k, const void* lhs, std::size_t lhs_stride, const void* rhs, std::size_t rhs_stride, float* c,
          std::size_t ldc, bool accumulate) {
  LhsRows<typename Route::Lhs, Rows, LhsStride> a(lhs, lhs_stride);
  const auto* b = static_cast<const typename Route::Rhs*>(rhs);
  Wide acc[Rows][Panels];
  if (accumulate) {
    const float* row = c;
    HS_UNROLL for (int i = 0; i < Rows; ++i, row += ldc) {
      HS_UNROLL for (int j = 0; j < Panels; ++j) acc[i][j] = load(row + j * kLanes);
    }
  } else {
    HS_UNROLL for (int i = 0; i < Rows; ++i) { HS_UNROLL for (int j = 0; j < Panels; ++j) acc[i][j] = set(0.0f); }
  }
  for (std::size_t s = 0; s < k; s += Route::kStep) {
    Route::template step<Rows, Panels>(acc, a, b, rhs_stride);
    a.advance(Route::kLhsStep);
    b += Route::kStep * kLanes;
  }
  __asm__("" : "+r"(c));  // or GCC works out every address before the loop and spills it
  HS_UNROLL for (int i = 0; i < Rows; ++i, c += ldc) {
    HS_UNROLL for (int j = 0; j < Panels; ++j) store(c + j * kLanes, acc[i][j]);
  }
}

// Most rows of a tile of so many panels. 32 registers of 512 bits: 24 accumulators (6 x 4, 8 x 3, 12 x 2), the panels'
// own and one broadcast; a single panel takes 16 rows, enough chains for two instructions a cycle. 16 registers of 256
// bits: 6 x 1 are 12 accumulators, 2 for the panel and one broadcast. NEON's 32 of 128 bits: 6 x 1 are 24, 4 and one.
// Scalar code has registers for none of it.
inline constexpr int kMostRows[4] = {kRegLanes == 16 ? 16 : kRegLanes > 1 ? 6 : 2, 12, 8, 6};
inline constexpr int kMaxPanels = kRegLanes == 16 ? 4 : 1;

template <class Route, int Panels, std::size_t Height>
constexpr void fill_tile(GemmFamily& family) {
  constexpr int kRows = static_cast<int>(kTileHeights[Height]);
  if constexpr (kRows <= kMostRows[Panels - 1]) {
    family.rows_tile[Height][Panels - 1] = tile<Route, kRows, Panels, 0>;
    family.panel_tile[Height][Panels - 1] = tile<Route, kRows, Panels, 1>;
    family.most_rows[Panels - 1] = kTileHeights[Height];
  }
}

template <class Route, int Panels, std::size_t... Height>
constexpr void fill_tiles(GemmFamily& family, std::index_sequence<Height...> heights) {
  (fill_tile<Route, Panels, Height>(family), ...);
  if constexpr (Panels < kMaxPanels) fill_tiles<Route, Panels + 1>(family, heights);
}

template <class Route>
constexpr GemmFamily gemm_family() {
  GemmFamily family = {};
  // Where the tile converts the right operand, two panels and many rows: fewer conversions a product.
  family.panels = Route::kWidenLhs && kMaxPanels > 2 ? 2 : kMaxPanels;
  family.widen_lhs = Route::kWidenLhs;
  fill_tiles<Route, 1>(family, std::make_index_sequence<std::size(kTileHeights)>());
  return family;
}

}  // namespace halfstep::HS_NAMESPACE
