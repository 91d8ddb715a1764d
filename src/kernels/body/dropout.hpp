// Dropout (Srivastava et al., 2014) whose mask is a function of place: drawn anew wherever it is needed, never stored.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Multiplies, so that NaN and infinity still show where they are dropped.
struct Dropped {
  WideBits limit, factor;
  HS_INLINE explicit Dropped(std::uint32_t dropped)
      : limit(set_bits(dropped)), factor(bits(set(65536.0f / static_cast<float>(65536 - dropped)))) {}
  HS_INLINE Wide operator()(const Wide& x, const WideBits& random) const {
    return x * from_bits(select_greater(limit, random, set_bits(0), factor));
  }
};

inline void dropout(std::size_t n, float* x, const RandomPlace& at, std::uint32_t dropped) {
  const Dropped drop(dropped);
  for_each_random16(n, at,
                    [&](std::size_t i, const WideBits& random) HS_INLINED { store(x + i, drop(load(x + i), random)); });
}

template <Dtype D>
void relu_dropout(std::size_t columns, const void* z, std::size_t ld, const RandomPlace& at, std::size_t next_row,
                  std::uint32_t dropped, const StorageTarget& y) {
  const auto* const row0 = static_cast<const typename Storage<D>::Type*>(z);
  const Dropped drop(dropped);
  RandomWords random[2];
  for (std::size_t i = 0; i < columns; i += kLanes) {
    const std::size_t place = i % kRandomGroup;
    Wide out[2];
    HS_UNROLL for (std::size_t r = 0; r < 2; ++r) {
      if (place == 0) draw(at, at.first + r * next_row + i, random[r]);
      out[r] = drop(Act<Activation::relu>::forward(Storage<D>::load16(row0 + r * ld + i)), random[r].at(place));
    }
    PairWriter<D, true>(y, i / kLanes).put(out[0], out[1]);
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
