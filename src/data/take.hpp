// Rows of row-major values, in any order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace halfstep::internal::data {

// The given rows, `width` values each; nothing of nothing.
template <class Vector>
Vector take(const Vector& from, std::size_t width, std::span<const std::uint32_t> rows) {
  Vector to;
  if (from.empty()) return to;
  to.reserve(rows.size() * width);
  for (const std::uint32_t row : rows) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * width);
    to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  return to;
}

}  // namespace halfstep::internal::data
