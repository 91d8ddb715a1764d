// Dropout (Srivastava et al., 2014) whose mask is a function of place: drawn anew wherever it is needed, never stored.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Multiplies, so that NaN and infinity still show where they are dropped.
inline void dropout(std::size_t n, float* x, const RandomPlace& at, std::uint32_t dropped) {
  const WideBits limit = set_bits(dropped), none = set_bits(0);
  const WideBits factor = bits(set(65536.0f / static_cast<float>(65536 - dropped)));
  for_each_random16(n, at, [&](std::size_t i, const WideBits& random) HS_INLINED {
    store(x + i, load(x + i) * from_bits(select_greater(limit, random, none, factor)));
  });
}

}  // namespace halfstep::internal::HS_NAMESPACE
