// Matrices of a batch: [rows][columns] in a storage type.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "gemm/gemm.hpp"

namespace halfstep::internal {

// In the two layouts the products read: rows and panels.
struct Activations {
  Dtype dtype = Dtype::fp32;
  AlignedBuffer<std::byte> rows;
  AlignedBuffer<std::byte> panels;  // may be empty
  std::size_t ld = 0;               // elements
  std::size_t panel_stride = 0;     // elements
  StorageTarget target() { return {rows.data(), ld, panels.size() ? panels.data() : nullptr, panel_stride, dtype}; }
  RowsOperand rows_operand() const { return {rows.data(), ld, dtype}; }
  PanelsOperand panels_operand() const { return {panels.data(), panel_stride, dtype}; }
  std::size_t bytes() const { return rows.size() + panels.size(); }
};

Activations make_activations(std::size_t rows, std::size_t columns, Dtype dtype, bool panels);

// What a product has left for a pass over its rows: [rows][width], row-major.
struct StoredRows {
  const std::byte* data;
  std::size_t ld;  // elements
  Dtype dtype;
  std::size_t width;  // without padding
  const std::byte* at(std::size_t row, std::size_t column = 0) const {
    return data + (row * ld + column) * size_of(dtype);
  }
};

// A matrix that a step leaves in memory, for those who look for what is not finite.
struct StoredSignal {
  enum class Kind : std::uint8_t { input, embedded, output, gradient };
  std::string name;  // "input", "layers.0.output", "logits", "layers.0.d": the gradient by the pre-activation
  Kind kind;
  Dtype dtype;
  const void* data;
  std::size_t ld;                // elements
  const void* panels = nullptr;  // the same in panels, where it is read in them too
  std::size_t panel_stride = 0;  // elements
  std::size_t block = 0;         // of the network, whose signal it is
  // Of an output: which of the block's products it is before what follows that row by row; -1: the block's output.
  int product = -1;
};

}  // namespace halfstep::internal
