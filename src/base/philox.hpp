// Constants of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
// shared by base/rng.hpp and the kernels that draw sixteen blocks at a time.
#pragma once
#include <cstdint>

namespace halfstep::internal::philox {

inline constexpr int kRounds = 10;
inline constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;  // of counter words 0 and 2
inline constexpr std::uint32_t kKeyStep0 = 0x9E3779B9, kKeyStep1 = 0xBB67AE85;

}  // namespace halfstep::internal::philox
