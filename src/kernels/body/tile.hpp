// The micro-kernel: a tile of rows x panels kept in registers while k runs. One template for every ISA and type; what
// differs is how one step of k reads the right panel and the left values (a Route).
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

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
  using OnWidened = WidenRoute<Dtype::fp32, Sum>;  // multiplies what a tile has widened
  static constexpr std::size_t kStep = 2;          // k of one step
  static constexpr std::size_t kUnit = 1;          // k of one Lhs
  using Lhs = float;
  using Rhs = typename Storage<D>::Type;

  // The right values that are multiplied at place k of two, a pair of bf16 odd one first, as vdpbf16ps does: such a
  // left operand lies in that order (widen_rows, widen_panel).
  static HS_INLINE Wide right(const Rhs* b, std::size_t k) {
    if constexpr (D == Dtype::bf16) return k == 0 ? load_odd16(b) : load_even16(b);
    return Storage<D>::load16(b + k * kLanes);
  }
  template <int Rows, int Panels, class A, bool Keeps>
  static HS_INLINE void step(Wide (&c)[Rows][Panels], const A& a, const Rhs* b, std::size_t bs, Widened<Keeps>& w) {
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

// k of one turn of a route's loop: kIsaSteps, of the ISA, says how many steps.
template <class Route>
inline constexpr std::size_t kTurn = kIsaSteps* Route::kStep;

// LhsStride 0: rows form, the stride is a run-time value. 1: panel form. Alone: no other tile reads what this one does,
// and none follows soon.
template <class Route, int Rows, int Panels, std::size_t LhsStride, bool Alone = false>
void tile(const TileOperands& t) {
  LhsRows<typename Route::Lhs, Rows, LhsStride> a(t.lhs, t.lhs_stride);
  const auto* b = static_cast<const typename Route::Rhs*>(t.rhs);
  const std::size_t rhs_stride = t.rhs_stride, ldc = t.ldc;
  float* c = t.c;
  Widened<Route::kWidens && !Alone> widened(t);
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
  constexpr std::size_t kLhsStep = Route::kStep / Route::kUnit;
  const auto steps = [&]<std::size_t Count>(std::integral_constant<std::size_t, Count>) HS_INLINED {
    if constexpr (!Alone) {
      HS_UNROLL for (std::size_t s = 0; s < Count; ++s) __builtin_prefetch(ahead + s * 64, 0, 2);
      ahead += Count * 64;
    }
    HS_UNROLL for (std::size_t s = 0; s < Count; ++s) {
      Route::template step<Rows, Panels>(acc, a.moved(s * kLhsStep), b + s * Route::kStep * kLanes, rhs_stride,
                                         widened);
      widened.advance();
    }
    a.advance(Count * kLhsStep);
    b += Count * Route::kStep * kLanes;
  };
  const std::size_t turns = t.k / kTurn<Route> * kTurn<Route>;
  const auto* const end = b + turns * kLanes;
  while (b != end) steps(std::integral_constant<std::size_t, kIsaSteps>());
  if constexpr (kIsaSteps > 1) {
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
// That of one row, and its panels: as many sums as an fma takes cycles, where registers are wide enough for that.
template <class Route, int Panels>
inline constexpr TileFunction kFirstRowTile = tile<Route, 1, Panels, 0, true>;
inline constexpr std::size_t kFirstRowPanels = kRegLanes >= 8 ? kMostPanels : 1;
// True for a route whose sums are not the portable ones.
template <class Route>
inline constexpr bool kNative = false;
// True for a route that can leave its right operand as fp32.
template <class Route>
inline constexpr bool kWidens = false;
template <class Route>
requires Route::kWidens inline constexpr bool kWidens<Route> = true;

// The sizes of a route's tiles: those of the ISA (simd/family_*.hpp), unless it specialises this. Where the tile
// converts the right operand, two panels and many rows: fewer conversions a product.
template <class Route>
inline constexpr TileShapes kShapes = kIsaShapes;
template <class Route>
requires(Route::kWidenLhs&& kIsaShapes.panels > 2) inline constexpr TileShapes kShapes<Route> = [] {
  TileShapes shapes = kIsaShapes;
  shapes.panels = 2;
  return shapes;
}();
template <class Route, std::size_t Panels, std::size_t Height>
constexpr void fill_tile(GemmFamily& family) {
  constexpr TileShapes shapes = kShapes<Route>;
  constexpr int kRows = shapes.heights[Height], kWidth = static_cast<int>(Panels);
  if constexpr (kRows > 0 && kRows <= shapes.most_rows[Panels - 1]) {
    family.rows_tile[Height][Panels - 1] = kTile<Route, kRows, kWidth, 0>;
    family.panel_tile[Height][Panels - 1] = kTile<Route, kRows, kWidth, 1>;
  }
}
template <class Route, std::size_t Panels, std::size_t... Height>
constexpr void fill_tiles(GemmFamily& family, std::index_sequence<Height...> heights) {
  (fill_tile<Route, Panels, Height>(family), ...);
  if constexpr (Panels < kShapes<Route>.panels) fill_tiles<Route, Panels + 1>(family, heights);
}

template <class Route, std::size_t... Panels>
constexpr void fill_first_row_tiles(GemmFamily& family, std::index_sequence<Panels...>) {
  family.first_row_panels = kFirstRowPanels;
  ((family.first_row_tile[Panels] = kFirstRowTile<Route, static_cast<int>(Panels + 1)>), ...);
}

template <class Route>
constexpr GemmFamily gemm_family();
template <class Route>
struct FamilyOf {
  static constexpr GemmFamily value = gemm_family<Route>();
};

// What a route of one instruction is replaced by on CPUs where that is slow: it specialises this.
template <class Route>
inline constexpr const GemmFamily* kByFma = nullptr;

template <class Route>
constexpr GemmFamily gemm_family() {
  GemmFamily family = {};
  family.shapes = kShapes<Route>;
  family.cover = TileCover::of(family.shapes);
  family.k_step = kTurn<Route>;
  family.lhs_bytes = sizeof(typename Route::Lhs) / Route::kUnit;
  family.lhs_pair = Route::kUnit;
  family.widen_lhs = Route::kWidenLhs;
  family.native = kNative<Route>;
  if constexpr (kWidens<Route>) family.on_widened = &FamilyOf<typename Route::OnWidened>::value;
  family.by_fma = kByFma<Route>;
  fill_tiles<Route, 1>(family, std::make_index_sequence<kMostHeights>());
  fill_first_row_tiles<Route>(family, std::make_index_sequence<kFirstRowPanels>());
  return family;
}

}  // namespace halfstep::internal::HS_NAMESPACE
