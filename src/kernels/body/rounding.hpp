// Rounding without a fp32 master: stochastic, and to nearest with the low part kept (Kahan).
#pragma once
#include "base/philox.hpp"

namespace halfstep::internal::HS_NAMESPACE {

// Sixteen Philox blocks of four words, block `first + lane` in lane; first is a multiple of 16.
HS_INLINE void draw(const RandomPlace& at, std::uint64_t first, WideBits (&x)[4]) {
  alignas(64) static constexpr std::uint32_t kLane[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  x[0] = set_bits(static_cast<std::uint32_t>(first)) | load_pairs(kLane);
  x[1] = set_bits(static_cast<std::uint32_t>(first >> 32));
  x[2] = set_bits(static_cast<std::uint32_t>(at.stream));
  x[3] = set_bits(static_cast<std::uint32_t>(at.stream >> 32));
  const WideBits multiplier0 = set_bits(philox::kMultiplier0), multiplier1 = set_bits(philox::kMultiplier1);
  auto key0 = static_cast<std::uint32_t>(at.seed);
  auto key1 = static_cast<std::uint32_t>(at.seed >> 32);
  for (int round = 0; round < philox::kRounds; ++round) {
    WideBits high0, high1;
    const WideBits low0 = multiply(x[0], multiplier0, high0), low1 = multiply(x[2], multiplier1, high1);
    x[0] = high1 ^ x[1] ^ set_bits(key0);
    x[1] = low1;
    x[2] = high0 ^ x[3] ^ set_bits(key1);
    x[3] = low0;
    key0 += philox::kKeyStep0;
    key1 += philox::kKeyStep1;
  }
}

// f(i, random) for each 16 of n elements: their random numbers in the low half of each lane.
template <class F>
HS_INLINE void for_each_random16(std::size_t n, const RandomPlace& at, F f) {
  for (std::size_t i = 0; i < n; i += kRandomGroup) {
    WideBits words[4];
    draw(at, (at.first + i) / kRandomGroup * kLanes, words);
    for (std::size_t j = 0; j < kRandomGroup / kLanes && i + j * kLanes < n; ++j) {
      f(i + j * kLanes, j % 2 == 0 ? words[j / 2] & set_bits(0xffffu) : shift_right<16>(words[j / 2]));
    }
  }
}

// A random number as wide as the bits that are dropped is added to them, and what is left of them is cut off. `random`:
// 16 bits in the low half of each lane. Below fp16's least normal the step is 2^-24: an offset of 2^-14 puts the value
// where fp32 has 13 bits below that. The largest finite value may step to inf.
template <Dtype D>
HS_INLINE Wide stochastic(const Wide& x, const WideBits& random) {
  if constexpr (D == Dtype::fp32) return x;
  constexpr std::uint32_t kDropped = D == Dtype::bf16 ? 0xffffu : 0x1fffu;
  const Wide a = abs(x);
  const Wide least = set(D == Dtype::bf16 ? 0.0f : 0x1p-14f);
  const Wide shifted = select_greater(least, a, a + least, a);
  const Wide cut = from_bits((bits(shifted) + (random & set_bits(kDropped))) & set_bits(~kDropped));
  const Wide rounded = with_sign_of(select_greater(least, a, cut - least, cut), x);
  return from_bits(select_greater(bits(a), set_bits(0x7f7fffffu), bits(x), bits(rounded)));
}

template <Dtype D>
void round_stochastic(std::size_t n, float* x, const RandomPlace& at) {
  for_each_random16(n, at, [&](std::size_t i, const WideBits& random) HS_INLINED {
    store(x + i, stochastic<D>(load(x + i), random));
  });
}

// What storage holds of x. Infinity stays one.
template <Dtype D>
HS_INLINE Wide stored(const Wide& x) {
  alignas(64) typename Storage<D>::Type memory[kLanes];
  Storage<D>::store16(memory, x);
  return Storage<D>::load16(memory);
}

template <Dtype D>
void split(std::size_t n, float* x, void* low) {
  auto* out = static_cast<std::uint16_t*>(low);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const Wide whole = load(x + i), kept = stored<D>(whole);
    store(x + i, kept);
    const Wide lost = select_greater(set(__builtin_inff()), abs(kept), whole - kept, set(0.0f));
    Storage<Dtype::bf16>::store16(out + i, lost);
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
