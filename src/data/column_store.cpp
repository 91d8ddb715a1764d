#include "data/column_store.hpp"

#include <algorithm>

#include "data/text.hpp"

namespace halfstep::internal::data {

void ColumnStore::append(std::size_t column, const std::vector<double>& numbers,
                         const std::vector<std::uint32_t>& codes) {
  std::vector<Extent>& extents = columns_[column].extents;
  Extent extent;
  extent.first = extents.empty() ? 0 : extents.back().first + extents.back().rows;
  extent.rows = std::max(numbers.size(), codes.size());
  if (extent.rows == 0) return;
  if (!numbers.empty()) extent.numbers = file_.append(numbers.data(), numbers.size() * sizeof(double));
  if (!codes.empty()) extent.codes = file_.append(codes.data(), codes.size() * sizeof(std::uint32_t));
  extents.push_back(extent);
}

void ColumnStore::keep_meaning(std::size_t column, const ColumnKind& kind, bool with_codes) {
  Stored& stored = columns_[column];
  stored.values = kind.values;
  stored.missing = kind.missing;
  stored.numeric = kind.numeric;
  stored.with_codes = with_codes || !kind.numeric;
}

// `end` counts what row_at gives; rows ascend.
template <class RowAt>
void ColumnStore::load_rows(std::size_t column, std::size_t end, RowAt row_at, Column& to) const {
  const Stored& stored = columns_[column];
  to.numbers.clear(), to.codes.clear();
  if (stored.numeric) to.numbers.reserve(end);
  if (stored.with_codes) to.codes.reserve(end);
  std::vector<double> numbers;
  std::vector<std::uint32_t> codes;
  std::size_t at = 0;
  for (const Extent& extent : stored.extents) {
    const std::size_t behind = extent.first + extent.rows;
    if (at == end || row_at(at) >= behind) continue;
    const std::size_t low = row_at(at), high = std::min(row_at(end - 1) + 1, behind);
    numbers.assign(high - low, kNaN);
    codes.assign(high - low, kMissingCode);
    const std::size_t skipped = low - extent.first;
    if (extent.numbers != kNone) {
      file_.read(extent.numbers + skipped * sizeof(double), numbers.data(), numbers.size() * sizeof(double));
    }
    if (extent.codes != kNone) {
      file_.read(extent.codes + skipped * sizeof(std::uint32_t), codes.data(), codes.size() * sizeof(std::uint32_t));
    }
    for (; at < end && row_at(at) < behind; ++at) {
      const std::size_t i = row_at(at) - low;
      const std::uint32_t code = codes[i];
      if (stored.numeric) to.numbers.push_back(code == kMissingCode ? numbers[i] : stored.values[code]);
      if (stored.with_codes) {
        to.codes.push_back(code == kMissingCode || stored.missing[code] ? kMissingCode : code);
      }
    }
  }
}

void ColumnStore::load(std::size_t column, std::span<const std::uint32_t> rows, Column& to) const {
  load_rows(
      column, rows.size(), [&](std::size_t i) { return std::size_t{rows[i]}; }, to);
}

void ColumnStore::load(std::size_t column, Column& to) const {
  const std::vector<Extent>& extents = columns_[column].extents;
  const std::size_t rows = extents.empty() ? 0 : extents.back().first + extents.back().rows;
  load_rows(
      column, rows, [](std::size_t i) { return i; }, to);
}

}  // namespace halfstep::internal::data
