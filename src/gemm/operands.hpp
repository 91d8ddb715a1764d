// What products read and write.
#pragma once
#include <cstddef>

#include "base/dtype.hpp"
#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// A row-major operand: [rows][ld], padding columns zero. Its storage type is that of the whole product: weights are
// packed in it too. What an epilogue writes may have another.
struct RowsOperand {
  const void* data;
  std::size_t ld;
  Dtype dtype;
};
// The same matrix in panels over its columns, k = rows.
struct PanelsOperand {
  const void* data;
  std::size_t panel_stride;  // elements
  Dtype dtype;
};

// A place in memory so many bytes on; null stays null.
inline std::byte* advance(void* base, std::size_t bytes) {
  return base ? static_cast<std::byte*>(base) + bytes : nullptr;
}

// A target from another row, even, and column on, a multiple of 16.
inline StorageTarget shifted(const StorageTarget& target, std::size_t row, std::size_t column) {
  const std::size_t element = size_of(target.dtype);
  return {advance(target.rows, (row * target.ld + column) * element), target.ld,
          advance(target.panels, (column / kLanes * target.panel_stride + row * kLanes) * element), target.panel_stride,
          target.dtype};
}

}  // namespace halfstep::internal
