// What happens to a tile of fp32 sums before it is rounded once to the storage type. A panel at a time and two rows at
// a time: the bias and the column sums stay in registers, and a pair of rows is what the panel layout wants.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Takes the rows of one panel two at a time. What is constant over them is a template parameter, so that the loop holds
// the arithmetic and its stores only.
template <Dtype D, bool Panels>
struct PairWriter {
  using T = typename Storage<D>::Type;
  T* row;
  std::size_t ld;
  T* panel;
  PairWriter(const StorageTarget& t, std::size_t p)
      : row(static_cast<T*>(t.rows) + p * kLanes), ld(t.ld), panel(nullptr) {
    if constexpr (Panels) panel = static_cast<T*>(t.panels) + p * t.panel_stride;
  }
  HS_INLINE void put(const Wide& row0, const Wide& row1) { put(Storage<D>::round_result(row0, row1)); }
  HS_INLINE void put(const typename Storage<D>::Pair& pair) {
    Storage<D>::store_rows(row, row + ld, pair);
    row += 2 * ld;
    if constexpr (Panels) {
      Storage<D>::store_panel(panel, pair);
      panel += 2 * kLanes;
    }
  }
};

// Calls f(panel, lanes that count, std::bool_constant<all 16 count>) for each panel of `columns`.
template <class F>
HS_INLINE void for_each_panel(std::size_t columns, F f) {
  std::size_t p = 0;
  for (; (p + 1) * kLanes <= columns; ++p) f(p, kLanes, std::true_type{});
  if (p * kLanes < columns) f(p, columns - p * kLanes, std::false_type{});
}

// How a sum becomes an output where that is cheap enough to happen between load and store.
struct AddBias {
  static HS_INLINE Wide finish(const Wide& sum, const Wide& bias) { return sum + bias; }
};
struct AddBiasRelu {
  static HS_INLINE Wide finish(const Wide& sum, const Wide& bias) { return Act<Activation::relu>::forward(sum + bias); }
};
struct Finished {
  static HS_INLINE Wide finish(const Wide& sum, const Wide&) { return sum; }
};

template <Dtype D, class F, bool Panels>
HS_INLINE void forward_tile(const ForwardEpilogue& e) {
  for_each_panel(e.columns, [&](std::size_t p, std::size_t valid, auto whole) {
    const Wide bias = load(e.bias + p * kLanes);
    const float* tile = e.tile + p * kLanes;
    PairWriter<D, Panels> y(e.y, p);
    for (std::size_t i = 0; i < e.rows; i += 2, tile += 2 * kBlockColumns) {
      Wide y0 = F::finish(load(tile), bias), y1 = F::finish(load(tile + kBlockColumns), bias);
      if constexpr (!whole) {  // padding stays zero even where the activation of zero is not
        y0 = keep_lanes(y0, valid);
        y1 = keep_lanes(y1, valid);
      }
      y.put(y0, y1);
    }
  });
}

template <Dtype D, class F>
HS_INLINE void forward_tile(const ForwardEpilogue& e) {
  e.y.panels ? forward_tile<D, F, true>(e) : forward_tile<D, F, false>(e);
}

// The costly activations run over the tile in L1 first: one copy of each in a library, not one for each way of storing.
template <Dtype D>
void activate_tile(const ForwardEpilogue& e) {
  const std::size_t columns = (e.columns + kLanes - 1) / kLanes * kLanes;
  for (std::size_t i = 0; i < e.rows; ++i) {
    float* const row = e.tile + i * kBlockColumns;
    for (std::size_t c = 0; c < columns; c += kLanes) store(row + c, load(row + c) + load(e.bias + c));
    activate<D>()(e.activation, columns, row, row);
  }
}

template <Dtype D, class F>
void save(const ForwardEpilogue& e) {
  ForwardEpilogue saved = e;
  saved.y = {e.z, e.z_ld, nullptr, 0};
  forward_tile<D, F, false>(saved);
}

template <Dtype S>
void add_skip(const ForwardEpilogue& e) {
  const std::size_t columns = (e.columns + kLanes - 1) / kLanes * kLanes;
  const auto* skip = static_cast<const typename Storage<S>::Type*>(e.skip);
  for (std::size_t i = 0; i < e.rows; ++i) add_stored<S>(columns, skip + i * e.skip_ld, e.tile + i * kBlockColumns);
}

// With what skips the layer: over the tile in L1, as activate_tile.
template <Dtype D>
void forward_skipped(const ForwardEpilogue& e) {
  const bool input = derivative_needs_input(e.activation);
  if (e.z && input) save<D, AddBias>(e);
  activate_tile<D>(e);
  if (e.z && !input) save<D, Finished>(e);
  if (e.skip_dtype == Dtype::fp32) add_skip<Dtype::fp32>(e);
  if (e.skip_dtype == Dtype::bf16) add_skip<Dtype::bf16>(e);
  if (e.skip_dtype == Dtype::fp16) add_skip<Dtype::fp16>(e);
  forward_tile<D, Finished>(e);
}

template <Dtype D>
void forward_epilogue(const ForwardEpilogue& e) {
  if (e.skip) return forward_skipped<D>(e);
  if (e.z) save<D, AddBias>(e);
  if (e.activation == Activation::identity) return forward_tile<D, AddBias>(e);
  if (e.activation == Activation::relu) return forward_tile<D, AddBiasRelu>(e);
  activate_tile<D>(e);
  forward_tile<D, Finished>(e);
}

inline void logits_epilogue(const ForwardEpilogue& e) {
  for (std::size_t p = 0; p * kLanes < e.columns; ++p) {
    const Wide bias = load(e.bias + p * kLanes);
    for (std::size_t i = 0; i < e.rows; ++i) {
      store(e.logits + i * e.logits_ld + p * kLanes, load(e.tile + i * kBlockColumns + p * kLanes) + bias);
    }
  }
}

// The rows of one panel on their way back, two at a time.
template <Dtype D, bool Panels>
struct BackwardPanel {
  using T = typename Storage<D>::Type;
  const float* tile;
  const T* saved;
  std::size_t saved_ld;
  PairWriter<D, Panels> out;
  Wide sum;
  BackwardPanel(const BackwardEpilogue& e, std::size_t p)
      : tile(e.tile + p * kLanes),
        saved(static_cast<const T*>(e.saved) + p * kLanes),
        saved_ld(e.saved_ld),
        out(e.d, p),
        sum(load(e.sums + p * kLanes)) {}

  // `keep` zeroes padding lanes, or does nothing.
  template <class A, class Keep>
  HS_INLINE void step(A act, Keep keep) {
    const Wide d0 = keep(act.backward(Storage<D>::load16(saved), load(tile)));
    const Wide d1 = keep(act.backward(Storage<D>::load16(saved + saved_ld), load(tile + kBlockColumns)));
    tile += 2 * kBlockColumns;
    saved += 2 * saved_ld;
    sum = (sum + d0) + d1;
    out.put(d0, d1);
  }
};

template <Dtype D, bool Panels, class A>
HS_INLINE void backward_tile(const BackwardEpilogue& e, A act) {
  constexpr auto all = [](const Wide& x) HS_INLINED { return x; };
  std::size_t p = 0;
  // Two panels side by side: the additions of one column's sum wait for each other.
  for (; (p + 2) * kLanes <= e.columns; p += 2) {
    BackwardPanel<D, Panels> one(e, p), two(e, p + 1);
    for (std::size_t i = 0; i < e.rows; i += 2) {
      one.step(act, all);
      two.step(act, all);
    }
    store(e.sums + p * kLanes, one.sum);
    store(e.sums + (p + 1) * kLanes, two.sum);
  }
  for (; p * kLanes < e.columns; ++p) {
    BackwardPanel<D, Panels> one(e, p);
    const std::size_t rest = e.columns - p * kLanes, valid = rest < kLanes ? rest : kLanes;
    for (std::size_t i = 0; i < e.rows; i += 2)
      one.step(act, [&](const Wide& x) HS_INLINED { return keep_lanes(x, valid); });
    store(e.sums + p * kLanes, one.sum);
  }
}

// d = tile * activation'(saved) in place, as activate_tile; S: the storage type of `saved`.
template <Dtype D, Dtype S>
void differentiate_tile(const BackwardEpilogue& e) {
  const std::size_t columns = (e.columns + kLanes - 1) / kLanes * kLanes;
  const auto* saved = static_cast<const typename Storage<S>::Type*>(e.saved);
  alignas(64) float wide[kBlockColumns];
  for (std::size_t i = 0; i < e.rows; ++i, saved += e.saved_ld) {
    float* const row = e.tile + i * kBlockColumns;
    for (std::size_t c = 0; c < columns; c += kLanes) store(wide + c, Storage<S>::load16(saved + c));
    differentiate<D>()(e.activation, columns, wide, row, row);
  }
}

template <Dtype D, class A>
HS_INLINE void backward_tile(const BackwardEpilogue& e, A act) {
  e.d.panels ? backward_tile<D, true>(e, act) : backward_tile<D, false>(e, act);
}

template <Dtype D>
void differentiate_tile(const BackwardEpilogue& e) {
  if (e.saved_dtype == Dtype::fp32) return differentiate_tile<D, Dtype::fp32>(e);
  if (e.saved_dtype == Dtype::bf16) return differentiate_tile<D, Dtype::bf16>(e);
  differentiate_tile<D, Dtype::fp16>(e);
}

// The gradient that skips the layer above, and what this layer's input will be given of it.
inline void pass_d_y(const BackwardEpilogue& e) {
  const std::size_t columns = (e.columns + kLanes - 1) / kLanes * kLanes;
  for (std::size_t i = 0; i < e.rows; ++i) {
    float *const row = e.tile + i * kBlockColumns, *const d_y = e.d_y + i * e.d_y_ld;
    for (std::size_t c = 0; c < columns; c += kLanes) {
      Wide d = load(row + c);
      if (e.add_d_y) d = d + load(d_y + c);
      store(row + c, d);
      if (e.keep_d_y) store(d_y + c, d);
    }
  }
}

// A ReLU and what dropout, behind it, has multiplied.
struct MultipliedRelu {
  Wide factor;
  HS_INLINE Wide backward(const Wide& y, const Wide& d) const { return Act<Activation::relu>::backward(y, d * factor); }
};

inline void multiply_tile(const BackwardEpilogue& e) {
  const std::size_t columns = (e.columns + kLanes - 1) / kLanes * kLanes;
  for (std::size_t i = 0; i < e.rows; ++i) {
    float* const row = e.tile + i * kBlockColumns;
    for (std::size_t c = 0; c < columns; c += kLanes) store(row + c, load(row + c) * set(e.factor));
  }
}

// Where two layers differ in precision, `saved` has the storage type of the layer above and d that of its own.
template <Dtype D>
void backward_epilogue(const BackwardEpilogue& e) {
  if (e.d_y) pass_d_y(e);
  if (e.activation == Activation::relu && e.saved_dtype == D) return backward_tile<D>(e, MultipliedRelu{set(e.factor)});
  if (e.factor != 1) multiply_tile(e);
  if (e.activation != Activation::identity) differentiate_tile<D>(e);
  backward_tile<D>(e, Act<Activation::identity>{});
}

template <Dtype D>
void store_rows(std::size_t columns, const float* row0, const float* row1, const StorageTarget& target) {
  for (std::size_t p = 0; p * kLanes < columns; ++p) {
    const auto pair = Storage<D>::round_pair(load(row0 + p * kLanes), load(row1 + p * kLanes));
    target.panels ? PairWriter<D, true>(target, p).put(pair) : PairWriter<D, false>(target, p).put(pair);
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
