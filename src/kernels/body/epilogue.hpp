// What happens to a tile of fp32 sums before it is rounded once to the storage type.
#pragma once

namespace halfstep::HS_NAMESPACE {

// Lanes below `valid` kept, the rest zero: padding columns must stay zero even where the sum is not finite.
HS_INLINE Wide keep_lanes(const Wide& x, std::size_t valid) {
  alignas(64) float lane[kLanes];
  store(lane, x);
  for (std::size_t i = valid; i < kLanes; ++i) lane[i] = 0.0f;
  return load(lane);
}

template <Dtype D>
struct Writer {
  using T = typename Storage<D>::Type;
  T* rows;
  std::size_t ld;
  T* panels;
  std::size_t panel_stride;
  explicit Writer(const StorageTarget& t)
      : rows(static_cast<T*>(t.rows)), ld(t.ld), panels(static_cast<T*>(t.panels)), panel_stride(t.panel_stride) {}

  // Rows i and i+1, panel p.
  HS_INLINE void put(std::size_t i, std::size_t p, const Wide& row0, const Wide& row1) const {
    if (rows) {
      Storage<D>::store16(rows + i * ld + p * kLanes, row0);
      Storage<D>::store16(rows + (i + 1) * ld + p * kLanes, row1);
    }
    if (panels) Storage<D>::store_pair(panels + p * panel_stride + i * kLanes, row0, row1);
  }
};

// Walks a tile two rows and one panel at a time; f(row, panel, sums of the two rows) gives the values to store.
template <class F>
HS_INLINE void for_each_pair(const float* tile, std::size_t rows, std::size_t columns, F f) {
  for (std::size_t p = 0; p * kLanes < columns; ++p) {
    const std::size_t valid = columns - p * kLanes;
    for (std::size_t i = 0; i < rows; i += 2) {
      const float* at = tile + i * kBlockColumns + p * kLanes;
      f(i, p, valid, load(at), load(at + kBlockColumns));
    }
  }
}

template <Dtype D>
void forward_epilogue(const ForwardEpilogue& e) {
  if (e.logits) {
    for_each_pair(e.tile, e.rows, e.columns,
                  [&](std::size_t i, std::size_t p, std::size_t, const Wide& row0, const Wide& row1) {
                    const Wide bias = load(e.bias + p * kLanes);
                    store(e.logits + i * e.logits_ld + p * kLanes, row0 + bias);
                    store(e.logits + (i + 1) * e.logits_ld + p * kLanes, row1 + bias);
                  });
    return;
  }
  const Writer<D> y(e.y), z(e.z);
  with_activation(e.activation, [&](auto act) {
    for_each_pair(e.tile, e.rows, e.columns,
                  [&](std::size_t i, std::size_t p, std::size_t valid, const Wide& row0, const Wide& row1) {
                    const Wide bias = load(e.bias + p * kLanes);
                    Wide z0 = row0 + bias, z1 = row1 + bias;
                    Wide y0 = act.forward(z0), y1 = act.forward(z1);
                    if (valid < kLanes) {
                      y0 = keep_lanes(y0, valid);
                      y1 = keep_lanes(y1, valid);
                    }
                    z.put(i, p, z0, z1);
                    y.put(i, p, y0, y1);
                  });
  });
}

template <Dtype D>
void backward_epilogue(const BackwardEpilogue& e) {
  const Writer<D> out(e.d);
  const auto* saved = static_cast<const typename Storage<D>::Type*>(e.saved);
  with_activation(e.activation, [&](auto act) {
    for_each_pair(e.tile, e.rows, e.columns,
                  [&](std::size_t i, std::size_t p, std::size_t valid, const Wide& row0, const Wide& row1) {
                    const auto* s = saved + i * e.saved_ld + p * kLanes;
                    Wide d0 = act.backward(Storage<D>::load16(s), row0);
                    Wide d1 = act.backward(Storage<D>::load16(s + e.saved_ld), row1);
                    if (valid < kLanes) {
                      d0 = keep_lanes(d0, valid);
                      d1 = keep_lanes(d1, valid);
                    }
                    store(e.sums + p * kLanes, (load(e.sums + p * kLanes) + d0) + d1);
                    out.put(i, p, d0, d1);
                  });
  });
}

template <Dtype D>
void store_rows(std::size_t columns, const float* row0, const float* row1, const StorageTarget& target) {
  const Writer<D> out(target);
  for (std::size_t p = 0; p * kLanes < columns; ++p) {
    out.put(0, p, load(row0 + p * kLanes), load(row1 + p * kLanes));
  }
}

}  // namespace halfstep::HS_NAMESPACE
