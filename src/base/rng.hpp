// Counter-based random numbers: value i of stream s under a seed is a pure function of the three, so results do not
// depend on threads or order. Philox4x32-10 (base/philox.hpp).
#pragma once
#include <array>
#include <cstdint>

#include "base/philox.hpp"

namespace halfstep::internal {

class Rng {
 public:
  constexpr Rng(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  constexpr std::uint32_t u32(std::uint64_t index) const { return block(index >> 2)[index & 3]; }

  // In [0, 1): 24 random bits.
  constexpr float uniform(std::uint64_t index) const { return static_cast<float>(u32(index) >> 8) * 0x1p-24f; }

  // In [0, bound) with bias below bound / 2^32.
  constexpr std::uint32_t below(std::uint64_t index, std::uint32_t bound) const {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(u32(index)) * bound) >> 32);
  }

  // About standard normal: the sum of twelve uniforms minus six. No libm, hence the same on every platform.
  constexpr float normal(std::uint64_t index) const {
    float sum = -6.0f;
    for (std::uint64_t i = 0; i < 3; ++i) {
      for (std::uint32_t word : block(3 * index + i)) sum += static_cast<float>(word >> 8) * 0x1p-24f;
    }
    return sum;
  }

 private:
  using Block = std::array<std::uint32_t, 4>;

  constexpr Block block(std::uint64_t counter) const {
    Block x = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
               static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)};
    auto key0 = static_cast<std::uint32_t>(seed_);
    auto key1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < philox::kRounds; ++round) {
      const std::uint64_t a = std::uint64_t{philox::kMultiplier0} * x[0];
      const std::uint64_t b = std::uint64_t{philox::kMultiplier1} * x[2];
      x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ key0, static_cast<std::uint32_t>(b),
           static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ key1, static_cast<std::uint32_t>(a)};
      key0 += philox::kKeyStep0;
      key1 += philox::kKeyStep1;
    }
    return x;
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace halfstep::internal
