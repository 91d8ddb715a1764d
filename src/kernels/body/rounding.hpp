// Rounding without a fp32 master: stochastic, and to nearest with the low part kept (Kahan).
#pragma once
#include "base/philox.hpp"

namespace halfstep::internal::HS_NAMESPACE {

// The random words of a group, [word][lane]: sixteen Philox blocks of four words, a block a lane. Element e of the
// group takes a half of word e / 32 of lane e % 16.
struct RandomWords {
  alignas(64) std::uint32_t words[4][kLanes];
  // Of 16 elements from `i` on, in the low half of each lane.
  HS_INLINE WideBits at(std::size_t i) const {
    const WideBits both = load_pairs(words[i / (2 * kLanes)]);
    return i / kLanes % 2 == 0 ? both & set_bits(0xffffu) : shift_right<16>(both);
  }
};

// Those of the group that begins at element `first`. A register at a time: four of them and what is constant are all
// that a chain keeps, and the chains of several registers overlap by themselves.
[[gnu::noinline]] inline void draw(const RandomPlace& at, std::uint64_t first, RandomWords& out) {
  alignas(64) static constexpr std::uint32_t kLane[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const std::uint64_t block = first / kRandomGroup * kLanes;
  const UInt multiplier0 = uint_set(philox::kMultiplier0), multiplier1 = uint_set(philox::kMultiplier1);
  for (std::size_t lane = 0; lane < kLanes; lane += kRegLanes) {
    UInt x0 = uint_set(static_cast<std::uint32_t>(block)) | uint_load(kLane + lane);
    UInt x1 = uint_set(static_cast<std::uint32_t>(block >> 32));
    UInt x2 = uint_set(static_cast<std::uint32_t>(at.stream));
    UInt x3 = uint_set(static_cast<std::uint32_t>(at.stream >> 32));
    auto key0 = static_cast<std::uint32_t>(at.seed);
    auto key1 = static_cast<std::uint32_t>(at.seed >> 32);
    _Pragma("GCC unroll 1") for (int round = 0; round < philox::kRounds; ++round) {
      UInt high0, high1;
      const UInt low0 = multiply(x0, multiplier0, high0), low1 = multiply(x2, multiplier1, high1);
      x0 = high1 ^ (x1 ^ uint_set(key0));
      x1 = low1;
      x2 = high0 ^ (x3 ^ uint_set(key1));
      x3 = low0;
      key0 += philox::kKeyStep0;
      key1 += philox::kKeyStep1;
    }
    uint_store(out.words[0] + lane, x0);
    uint_store(out.words[1] + lane, x1);
    uint_store(out.words[2] + lane, x2);
    uint_store(out.words[3] + lane, x3);
  }
}

// f(i, random) for each 16 of n elements: their random numbers in the low half of each lane.
template <class F>
HS_INLINE void for_each_random16(std::size_t n, const RandomPlace& at, F f) {
  RandomWords random;
  for (std::size_t i = 0; i < n; i += kLanes) {
    if (i % kRandomGroup == 0) draw(at, at.first + i, random);
    f(i, random.at(i % kRandomGroup));
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
