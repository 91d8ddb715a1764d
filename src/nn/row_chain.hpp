// What follows a product row by row: a norm (if any), then row blocks in order. Where it can it rides in the product's
// epilogue; else it is a pass of its own over the rows, in fp32 from what the product stored to one rounding at the
// end.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/norm.hpp"
#include "nn/row_block.hpp"

namespace halfstep::internal {

// Rows below this many elements in all are not worth a second thread.
inline constexpr std::size_t kWorthAThread = std::size_t{1} << 14;
inline constexpr std::size_t kRowPart = 256;  // columns that are worked on at a time, in L1

class RowChain {
 public:
  std::unique_ptr<NormBlock> norm;  // may be null
  std::vector<std::unique_ptr<RowBlock>> blocks;

  // The epilogue that does all of it in a pass like this one; none: a pass over the rows must.
  std::optional<RowEpilogue> epilogue(bool training) const;
  // What it does to a row without its norm and dropout.
  RowEpilogue joined() const;
  // That of a chain which is dropout behind a ReLU and nothing else; null: another. Its output is zero wherever it
  // hands no gradient back, so that the way back can ride in an epilogue that sees the output, and draws nothing.
  const DropoutMask* relu_mask() const;
  std::string describe() const;  // "layer norm, gelu, residual"

  // y from z of a batch, and from `skip`, the layer's input, where a block adds that.
  void forward(const Pass&, const StoredRows& z, RowsOperand skip, const StorageTarget& y);
  // From d_y [rows][padded width], the gradient by y, that by z, rounded to `d`. It is worked out in d_z, of the same
  // shape, which may be d_y. `sums` [sum_chunks][padded width] and those of the norm's parameters are overwritten.
  void backward(const Pass&, const StoredRows& z, const float* d_y, float* d_z, const StorageTarget& d, float* sums);

  // What block `index` is given for a part, made again from z.
  void input_of(const RowPart& part, std::size_t index, float* x) const;

 private:
  std::size_t rows_that_count(std::size_t rows) const;
  void forward_part(const RowPart& part, bool centred, float* x) const;
  void forward_pair(const Pass&, const StoredRows& z, RowsOperand skip, const StorageTarget& y, std::size_t row);
  void backward_row(const Pass&, const StoredRows& z, std::size_t row, Dtype stored, float* d);
};

}  // namespace halfstep::internal
