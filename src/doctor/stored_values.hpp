// Single values of what a step leaves in memory, and the first that is not finite.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/dtype.hpp"
#include "base/dtype_range.hpp"
#include "base/float16.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

inline float value_at(Dtype dtype, const void* base, std::size_t index) {
  if (dtype == Dtype::fp32) return static_cast<const float*>(base)[index];
  const std::uint16_t word = static_cast<const std::uint16_t*>(base)[index];
  return dtype == Dtype::bf16 ? to_fp32(Bf16{word}) : to_fp32(Fp16{word});
}

inline float value_at(const StoredSignal& s, std::size_t row, std::size_t column) {
  return value_at(s.dtype, s.data, row * s.ld + column);
}

// What a block reads: the input of the network, its embedding, or the output of the block below.
inline const StoredSignal& input_of(const Network& network, std::size_t block) {
  const StoredSignal* found = &network.signals().front();
  for (const StoredSignal& s : network.signals()) {
    if (block == 0 && s.kind == StoredSignal::Kind::embedded) found = &s;
    if (block > 0 && s.kind == StoredSignal::Kind::output && s.block == block - 1 && s.product < 0) found = &s;
  }
  return *found;
}

// Element [out][in] as the products read it; of a vector [out].
inline float working_value(const Parameter& p, std::size_t out, std::size_t in) {
  if (!p.is_matrix()) return p.master[out];
  return value_at(p.storage, p.packed_forward.data(), p.packed_index(out, in));
}

struct Place {
  std::size_t row = 0, column = 0;
  std::int64_t count = 0;  // of all that are not finite
};

// value(row, column) of a matrix. The first in its order.
template <class Value>
std::optional<Place> first_bad(std::size_t rows, std::size_t columns, Value value) {
  std::optional<Place> place;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      if (std::isfinite(value(r, c))) continue;
      if (!place) place = Place{r, c, 0};
      ++place->count;
    }
  }
  return place;
}

}  // namespace halfstep::internal
