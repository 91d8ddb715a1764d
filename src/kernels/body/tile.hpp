// The micro-kernel: a tile of rows x panels kept in registers while k runs. One template for every ISA and type; what
// differs is how one step of k reads the right panel and the left values (a Route).
#pragma once

namespace halfstep::HS_NAMESPACE {

// Where the left values of a step are: element k of row i. Rows far apart are reached from a pointer for every three or
// four of them plus an offset in a register; a single pointer and fifteen offsets would not fit.
template <class T, int Rows, std::size_t LhsStride>
struct LhsRows {
  static constexpr bool kPanel = LhsStride != 0;  // panel form: rows are contiguous; rows form: k is
  static constexpr int kRowsOfPointer = kPanel ? Rows : Rows > 6 ? 4 : 3;
  static constexpr int kPointers = (Rows + kRowsOfPointer - 1) / kRowsOfPointer;
  static constexpr std::ptrdiff_t kNextK = kPanel ? kLanes : 1;
  const char* pointer[kPointers];
  std::size_t offset[kRowsOfPointer];  // bytes

  HS_INLINE LhsRows(const void* lhs, std::size_t lhs_stride) {
    const std::size_t stride = (kPanel ? LhsStride : lhs_stride) * sizeof(T);
    HS_UNROLL for (int p = 0; p < kPointers; ++p) {
      pointer[p] = static_cast<const char*>(lhs) + static_cast<std::size_t>(kRowsOfPointer * p) * stride;
    }
    HS_UNROLL for (int i = 0; i < kRowsOfPointer; ++i) {
      std::size_t bytes = static_cast<std::size_t>(i) * stride;
      if (!kPanel && i > 0) __asm__("" : "+r"(bytes));  // GCC would work some of them out again at every step
      offset[i] = bytes;
    }
  }
  HS_INLINE T at(int i, std::ptrdiff_t k) const {
    const char* row = pointer[i / kRowsOfPointer] + k * kNextK * static_cast<std::ptrdiff_t>(sizeof(T));
    return *reinterpret_cast<const T*>(i % kRowsOfPointer == 0 ? row : row + offset[i % kRowsOfPointer]);
  }
  // As after advance(k).
  HS_INLINE LhsRows moved(std::size_t k) const {
    LhsRows other = *this;
    HS_UNROLL for (int p = 0; p < kPointers; ++p) other.pointer[p] += k * kNextK * sizeof(T);
    return other;
  }
  HS_INLINE void advance(std::size_t k) {
    HS_UNROLL for (int p = 0; p < kPointers; ++p) {
      const char* next = pointer[p] + k * kNextK * sizeof(T);
      if (kPointers > 1) __asm__("" : "+r"(next));  // GCC would derive one from the other
      pointer[p] = next;
    }
  }
};

// Where a tile leaves its right operand for fp32 tiles, in the order in which it multiplied: for CPUs on which
// conversions take the ports that fma needs (cpu.hpp). On a route that leaves none, nothing of it remains.
inline constexpr bool kSimd = kRegLanes > 1;
template <bool Keeps>
struct Widened {
  float* place;
  std::size_t stride, next;
  HS_INLINE explicit Widened(const TileOperands& t)
      : place(t.widened), stride(t.widened_stride), next(t.widened_step) {}
  HS_INLINE void put(std::size_t panel, std::size_t k, const Wide& x) { store(place + panel * stride + k * kLanes, x); }
  HS_INLINE void advance() { place += next; }
};
template <>
struct Widened<false> {
  HS_INLINE explicit Widened(const TileOperands&) {}
  HS_INLINE void put(std::size_t, std::size_t, const Wide&) {}
  HS_INLINE void advance() {}
};

// How a route adds a product to a sum. An ISA without the instruction has other ways (simd/sums.hpp).
struct Fused {
  static HS_INLINE Wide accumulate(const Wide& left, const Wide& right, const Wide& sum) {
    return fma(left, right, sum);
  }
};

// fp32 lhs, rhs of type D converted in registers. Two k a step (k is always even): less of a loop around them.
template <Dtype D, class Sum = Fused>
struct WidenRoute {
  static constexpr bool kWidenLhs = D != Dtype::fp32;
  static constexpr bool kWidens = kSimd && kWidenLhs;
  using Rest = WidenRoute<Dtype::fp32, Sum>;  // multiplies what a tile has widened
  static constexpr std::size_t kStep = 2;     // k of one step
  static constexpr std::size_t kLhsStep = 2;  // and what that is in Lhs units
  using Lhs = float;
  using Rhs = typename Storage<D>::Type;

  // The right values that are multiplied at place k of two, a pair of bf16 odd one first, as vdpbf16ps does: such a
  // left operand lies in that order (widen_rows, widen_panel).
  static HS_INLINE Wide right(const Rhs* b, std::size_t k) {
    if constexpr (D == Dtype::bf16) return k == 0 ? load_odd16(b) : load_even16(b);
    return Storage<D>::load16(b + k * kLanes);
  }
  template <int Rows, int Panels, class A>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const A& a, const Rhs* b, std::size_t bs, Widened<kWidens>& w) {
    HS_UNROLL for (std::size_t k = 0; k < kStep; ++k) {
      Wide rights[Panels];
      HS_UNROLL for (int j = 0; j < Panels; ++j) rights[j] = right(b + j * bs, k);
      HS_UNROLL for (int j = 0; j < Panels; ++j) w.put(j, k, rights[j]);
      HS_UNROLL for (int i = 0; i < Rows; ++i) {
        const Wide left = set(a.at(i, static_cast<std::ptrdiff_t>(k)));
        HS_UNROLL for (int j = 0; j < Panels; ++j) c[i][j] = Sum::accumulate(left, rights[j], c[i][j]);
      }
    }
  }
};

// Steps between two turns of the loop: counting takes ports that fma needs. On AVX2 a step is 24 fma, two are 1 to 3 %
// faster than one, four are slower; AVX-512 has 48 and gains nothing.
inline constexpr std::size_t kSteps = kRegLanes == 8 ? 2 : 1;

// LhsStride 0: rows form, the stride is a run-time value. 1: panel form.
template <class Route, int Rows, int Panels, std::size_t LhsStride>
void tile(const TileOperands& t) {
  LhsRows<typename Route::Lhs, Rows, LhsStride> a(t.lhs, t.lhs_stride);
  const auto* b = static_cast<const typename Route::Rhs*>(t.rhs);
  const std::size_t rhs_stride = t.rhs_stride, ldc = t.ldc;
  float* c = t.c;
  Widened<Route::kWidens> widened(t);
  const std::byte* ahead = t.ahead;
  Wide acc[Rows][Panels];
  if (t.accumulate) {
    const float* row = c;
    HS_UNROLL for (int i = 0; i < Rows; ++i, row += ldc) {
      HS_UNROLL for (int j = 0; j < Panels; ++j) acc[i][j] = load(row + j * kLanes);
    }
  } else {
    HS_UNROLL for (int i = 0; i < Rows; ++i) { HS_UNROLL for (int j = 0; j < Panels; ++j) acc[i][j] = set(0.0f); }
  }
  const auto steps = [&]<std::size_t Count>(std::integral_constant<std::size_t, Count>) HS_INLINED {
    HS_UNROLL for (std::size_t s = 0; s < Count; ++s) __builtin_prefetch(ahead + s * 64, 0, 2);
    ahead += Count * 64;
    HS_UNROLL for (std::size_t s = 0; s < Count; ++s) {
      Route::template step<Rows, Panels>(acc, a.moved(s * Route::kLhsStep), b + s * Route::kStep * kLanes, rhs_stride,
                                         widened);
      widened.advance();
    }
    a.advance(Count * Route::kLhsStep);
    b += Count * Route::kStep * kLanes;
  };
  constexpr std::size_t kTurn = kSteps * Route::kStep;
  const std::size_t turns = t.k / kTurn * kTurn;
  const auto* const end = b + turns * kLanes;
  while (b != end) steps(std::integral_constant<std::size_t, kSteps>());
  if constexpr (kSteps > 1) {
    if (turns < t.k) steps(std::integral_constant<std::size_t, 1>());
  }
  __asm__("" : "+r"(c));  // or GCC works out every address before the loop and spills it
  HS_UNROLL for (int i = 0; i < Rows; ++i, c += ldc) {
    HS_UNROLL for (int j = 0; j < Panels; ++j) store(c + j * kLanes, acc[i][j]);
  }
}

// An ISA may have a loop of its own for some route: it specialises this.
template <class Route, int Rows, int Panels, std::size_t LhsStride>
inline constexpr TileFunction kTile = tile<Route, Rows, Panels, LhsStride>;
// True for a route whose sums are not the portable ones.
template <class Route>
inline constexpr bool kNative = false;
// True for a route that can leave its right operand as fp32.
template <class Route>
inline constexpr bool kWidens = false;
template <class Route>
requires Route::kWidens inline constexpr bool kWidens<Route> = true;

// Most rows of a tile of so many panels. One panel: what the CPU's registers hold beside the panel's own and a
// broadcast, 6 on AVX2 (12 accumulators) and NEON (24, simd/tile_neon.hpp), 2 on SSE2 (8) and in scalar code, which has
// registers for none of it; AVX-512 takes the 16 of the highest tile, enough chains for two instructions a cycle, and
// of its 32 registers up to 24 accumulators for more panels (6 x 4, 8 x 3, 12 x 2).
inline constexpr int kRowsInRegisters = (kRegisters - static_cast<int>(kRegs) - 1) / static_cast<int>(kRegs);
inline constexpr int kMostRows[4] = {kRowsInRegisters > 2 ? kRowsInRegisters : 2, 12, 8, 6};
inline constexpr int kMaxPanels = kRegLanes == 16 ? 4 : 1;

template <class Route, int Panels, std::size_t Height>
constexpr void fill_tile(GemmFamily& family) {
  constexpr int kRows = static_cast<int>(kTileHeights[Height]);
  if constexpr (kRows <= kMostRows[Panels - 1]) {
    family.rows_tile[Height][Panels - 1] = kTile<Route, kRows, Panels, 0>;
    family.panel_tile[Height][Panels - 1] = kTile<Route, kRows, Panels, 1>;
    family.most_rows[Panels - 1] = kTileHeights[Height];
  }
}

// Where the tile converts the right operand, two panels and many rows: fewer conversions a product.
template <class Route>
inline constexpr int kWidestTile = Route::kWidenLhs&& kMaxPanels > 2 ? 2 : kMaxPanels;

template <class Route, int Panels, std::size_t... Height>
constexpr void fill_tiles(GemmFamily& family, std::index_sequence<Height...> heights) {
  (fill_tile<Route, Panels, Height>(family), ...);
  if constexpr (Panels < kWidestTile<Route>) fill_tiles<Route, Panels + 1>(family, heights);
}

template <class Route>
constexpr GemmFamily gemm_family();
template <class Route>
struct FamilyOf {
  static constexpr GemmFamily value = gemm_family<Route>();
};

template <class Route>
constexpr GemmFamily gemm_family() {
  GemmFamily family = {};
  family.panels = kWidestTile<Route>;
  family.widen_lhs = Route::kWidenLhs;
  family.native = kNative<Route>;
  if constexpr (kWidens<Route>) family.rest = &FamilyOf<typename Route::Rest>::value;
  fill_tiles<Route, 1>(family, std::make_index_sequence<std::size(kTileHeights)>());
  return family;
}

// What a route of one instruction is replaced by on CPUs where that is slow: it specialises this.
template <class Route>
struct Fallback {
  static constexpr GemmFamily family() { return {}; }
};

}  // namespace halfstep::HS_NAMESPACE
