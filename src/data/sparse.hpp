// Features of which most are zero: only the others are kept, row by row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace halfstep::internal::data {

// Rows of entries, each with its column, ascending within a row.
template <class Number>
struct SparseRows {
  std::vector<std::uint64_t> offsets;  // of each row's first entry, and the end of the last; empty: nothing is here
  std::vector<std::uint32_t> columns;
  std::vector<Number> values;

  bool empty() const { return offsets.empty(); }
  std::size_t rows() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

// The given rows, in the given order; nothing of nothing.
template <class Number>
SparseRows<Number> take_rows(const SparseRows<Number>& from, std::span<const std::uint32_t> rows) {
  SparseRows<Number> to;
  if (from.empty()) return to;
  to.offsets.reserve(rows.size() + 1);
  to.offsets.push_back(0);
  for (const std::uint32_t row : rows) {
    to.offsets.push_back(to.offsets.back() + from.offsets[row + 1] - from.offsets[row]);
  }
  to.columns.reserve(to.offsets.back());
  to.values.reserve(to.offsets.back());
  for (const std::uint32_t row : rows) {
    const auto begin = static_cast<std::ptrdiff_t>(from.offsets[row]);
    const auto end = static_cast<std::ptrdiff_t>(from.offsets[row + 1]);
    to.columns.insert(to.columns.end(), from.columns.begin() + begin, from.columns.begin() + end);
    to.values.insert(to.values.end(), from.values.begin() + begin, from.values.begin() + end);
  }
  return to;
}

}  // namespace halfstep::internal::data
