// Whether a column has more than a few distinct numbers.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "data/column_kind.hpp"

namespace halfstep::internal::data {

// The first distinct numbers, up to one more than kFewNumbers. They are compared by their bits: what the floating-point
// environment of a thread flushes must not matter.
class FewNumbers {
 public:
  bool many() const { return count_ > kFewNumbers; }
  void add(double number) {
    if (many()) return;
    const auto bits = std::bit_cast<std::uint64_t>(number);
    note(bits == kMinusZero ? 0 : bits);
  }
  void add(const FewNumbers& others) {
    for (std::size_t i = 0; i < others.count_ && !many(); ++i) note(others.seen_[i]);
  }

 private:
  static constexpr std::uint64_t kMinusZero = std::uint64_t{1} << 63;

  void note(std::uint64_t bits) {
    const auto end = seen_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::find(seen_.begin(), end, bits) == end) seen_[count_++] = bits;
  }

  std::array<std::uint64_t, kFewNumbers + 1> seen_{};
  std::size_t count_ = 0;
};

}  // namespace halfstep::internal::data
