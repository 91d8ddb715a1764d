// Activations of arrays: of fp32, and from storage to storage.
#pragma once
#include <cstring>

namespace halfstep::internal::HS_NAMESPACE {

// Calls f with Formula<activation>: the choice stands here once.
template <template <Activation> class Formula, std::size_t I = 0, class F>
HS_INLINE void with_activation(Activation activation, F f) {
  constexpr auto kThis = static_cast<Activation>(I);
  if (activation == kThis) return f(Formula<kThis>{});
  if constexpr (I + 1 < kEnumNames<Activation>.size()) with_activation<Formula, I + 1>(activation, f);
}

// f on 16 lanes at a time; the tail goes through a padded copy, so it takes the same code.
template <class F>
[[gnu::noinline]] void map_array(std::size_t n, const float* a, const float* b, float* out, F f) {
  const std::size_t i = for_each_16(
      n, [&](std::size_t at) HS_INLINED { store(out + at, f(load(a + at), load(b + at))); }, a, b, out);
  if (i == n) return;
  alignas(64) float tail[2][kLanes] = {};
  std::memcpy(tail[0], a + i, (n - i) * sizeof(*a));
  std::memcpy(tail[1], b + i, (n - i) * sizeof(*b));
  map_array(kLanes, tail[0], tail[1], tail[0], f);
  std::memcpy(out + i, tail[0], (n - i) * sizeof(*out));
}

template <class A>
void forward_array(std::size_t n, const float* x, float* y) {
  map_array(n, x, x, y, [](const Wide& v, const Wide&) HS_INLINED { return A::forward(v); });
}
template <class A>
void backward_array(std::size_t n, const float* saved, const float* d_y, float* d_x) {
  map_array(n, saved, d_y, d_x, [](const Wide& s, const Wide& d) HS_INLINED { return A::backward(s, d); });
}

template <template <Activation> class Formula>
void forward_array(Activation activation, std::size_t n, const float* x, float* y) {
  with_activation<Formula>(activation, [&](auto act) { forward_array<decltype(act)>(n, x, y); });
}
template <template <Activation> class Formula>
void backward_array(Activation activation, std::size_t n, const float* saved, const float* d_y, float* d_x) {
  with_activation<Formula>(activation, [&](auto act) { backward_array<decltype(act)>(n, saved, d_y, d_x); });
}

// For fp32 results, and for those that are rounded to D.
inline void activation_forward(Activation activation, std::size_t n, const float* x, float* y) {
  forward_array<Act>(activation, n, x, y);
}
inline void activation_backward(Activation activation, std::size_t n, const float* saved, const float* d_y,
                                float* d_x) {
  backward_array<Act>(activation, n, saved, d_y, d_x);
}
template <Dtype D>
constexpr auto activate() {
  return D == Dtype::fp32 ? activation_forward : forward_array<ShortAct>;
}
template <Dtype D>
constexpr auto differentiate() {
  return D == Dtype::fp32 ? activation_backward : backward_array<ShortAct>;
}

// Storage to storage. Where registers are narrow a trip through L1 is cheap beside the arithmetic, and code is large.
inline constexpr bool kInOnePass = kRegs <= 2;

template <Dtype D, bool Backward>
void map_in_parts(Activation activation, std::size_t n, const typename Storage<D>::Type* x,
                  const typename Storage<D>::Type* d, typename Storage<D>::Type* out) {
  constexpr std::size_t kPart = 512;
  alignas(64) float wide[2][kPart];
  for (std::size_t i = 0; i < n; i += kPart) {
    const std::size_t count = n - i < kPart ? n - i : kPart;
    to_fp32<D>(count, x + i, wide[0]);
    if constexpr (Backward) {
      to_fp32<D>(count, d + i, wide[1]);
      differentiate<D>()(activation, count, wide[0], wide[1], wide[0]);
    } else {
      activate<D>()(activation, count, wide[0], wide[0]);
    }
    from_fp32<D>(count, wide[0], out + i);
  }
}

// Act may hand on an input as it came, subnormal; the shorter ones compute all results, but for ELU's slope.
template <class A, bool Backward>
inline constexpr bool kComputes = true;
template <Activation A, bool Backward>
inline constexpr bool kComputes<Act<A>, Backward> = false;
template <>
inline constexpr bool kComputes<ShortElu, true> = false;

// 32 elements at a time in the order of a panel's pair of rows, which costs least to bring about; the tail as above.
template <Dtype D, class A, bool Backward>
[[gnu::noinline]] void map_in_one_pass(std::size_t n, const typename Storage<D>::Type* x,
                                       const typename Storage<D>::Type* d, typename Storage<D>::Type* out) {
  using S = Storage<D>;
  constexpr std::size_t kBlock = 2 * kLanes;
  const std::size_t ahead = n >= kLong ? kAhead / sizeof(*x) : 0;
  std::size_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    __builtin_prefetch(x + i + ahead);
    __builtin_prefetch(out + i + ahead);
    const PlainPair in = S::load_panel(x + i);
    Wide y[2] = {in.row0, in.row1};
    if constexpr (Backward) {
      __builtin_prefetch(d + i + ahead);
      const PlainPair d_y = S::load_panel(d + i);
      const Wide up[2] = {d_y.row0, d_y.row1};
      for (int row = 0; row < 2; ++row) y[row] = A::backward(y[row], up[row]);
    } else {
      for (int row = 0; row < 2; ++row) y[row] = A::forward(y[row]);
    }
    if constexpr (kComputes<A, Backward>) {
      S::store_panel(out + i, S::round_result(y[0], y[1]));
    } else {
      S::store_panel(out + i, S::round_pair(y[0], y[1]));
    }
  }
  if (i == n) return;
  alignas(64) typename S::Type tail[2][kBlock] = {};
  std::memcpy(tail[0], x + i, (n - i) * sizeof(*x));
  if constexpr (Backward) std::memcpy(tail[1], d + i, (n - i) * sizeof(*d));
  map_in_one_pass<D, A, Backward>(kBlock, tail[0], tail[1], tail[0]);
  std::memcpy(out + i, tail[0], (n - i) * sizeof(*out));
}

template <Dtype D, bool Backward>
void map_stored(Activation activation, std::size_t n, const void* x, const void* d, void* out) {
  using T = typename Storage<D>::Type;
  const auto *in = static_cast<const T*>(x), *up = static_cast<const T*>(d);
  auto* const to = static_cast<T*>(out);
  if constexpr (D == Dtype::fp32) {
    Backward ? activation_backward(activation, n, in, up, to) : activation_forward(activation, n, in, to);
  } else if constexpr (kInOnePass) {
    with_activation<ShortAct>(activation,
                              [&](auto act) { map_in_one_pass<D, decltype(act), Backward>(n, in, up, to); });
  } else {
    map_in_parts<D, Backward>(activation, n, in, up, to);
  }
}
template <Dtype D>
void activate_stored(Activation activation, std::size_t n, const void* x, void* y) {
  map_stored<D, false>(activation, n, x, nullptr, y);
}
template <Dtype D>
void differentiate_stored(Activation activation, std::size_t n, const void* saved, const void* d_y, void* d_x) {
  map_stored<D, true>(activation, n, saved, d_y, d_x);
}

}  // namespace halfstep::internal::HS_NAMESPACE
