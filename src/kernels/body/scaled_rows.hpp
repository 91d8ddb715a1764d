// Rows that members of an ensemble see through scales of their own, and the way back.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

template <Dtype D>
void store_scaled(std::size_t columns, const float* x0, const float* scale0, const float* x1, const float* scale1,
                  const StorageTarget& target) {
  for (std::size_t i = 0; i < columns; i += kLanes) {
    const auto pair = Storage<D>::round_result(load(x0 + i) * load(scale0 + i), load(x1 + i) * load(scale1 + i));
    target.panels ? PairWriter<D, true>(target, i / kLanes).put(pair)
                  : PairWriter<D, false>(target, i / kLanes).put(pair);
  }
}

inline void scaled_backward(std::size_t columns, std::size_t members, const float* scale, const float* d,
                            std::size_t ld, float* x, float* sums) {
  for (std::size_t i = 0; i < columns; i += kLanes) {
    const Wide factor = load(x + i);
    Wide sum = set(0.0f);
    for (std::size_t m = 0; m < members; ++m) {
      const float* const at = d + m * ld + i;
      __builtin_prefetch(at + members * ld);  // the rows that come next: nothing else foresees so many streams
      const Wide here = load(at);
      float* const by_scale = sums + m * columns + i;
      store(by_scale, load(by_scale) + factor * here);
      sum = sum + load(scale + m * columns + i) * here;
    }
    store(x + i, sum);
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
