// Preprocessed rows, as training and inference read them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/arena.hpp"
#include "data/row_file.hpp"
#include "data/sparse.hpp"

namespace halfstep::internal::data {

struct Examples {
  std::size_t rows = 0;
  std::size_t features = 0;
  LargeVector<float> x;             // rows x features
  LargeVector<std::uint8_t> bytes;  // in place of x for images of bytes: x = byte * byte_scale + byte_shift
  float byte_scale = 1;
  float byte_shift = 0;
  // In place of x for rows that differ from `usual`, a row, in few places.
  SparseRows<float> sparse;
  std::vector<float> usual;
  std::shared_ptr<const RowFile> file;  // in place of x for rows that are too many for memory
  std::vector<std::int32_t> labels;     // classification
  std::size_t outputs = 1;              // regression: values of a row
  std::vector<float> targets;           // rows x outputs, standardised
  std::vector<double> exact_targets;    // the same before rounding: what errors are measured by
  std::vector<float> weights;           // how much each row counts in the loss; empty: all alike
};

// Sparse rows with all their numbers in x; others as they are.
Examples in_full(Examples examples);

// The given rows, in the given order.
Examples take_rows(const Examples& from, std::span<const std::uint32_t> rows);

}  // namespace halfstep::internal::data
