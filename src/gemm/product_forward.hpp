#pragma once
#include "gemm/rows_product.hpp"

namespace halfstep::internal {

// y = activation(x W^T + b) + skip, of `rows` rows: of none there is nothing to do. Behind an odd count x has a row of
// zeros, and y another; behind a single row x may have anything. Widths are at least 1. `epilogue` holds the targets of
// row 0, column 0; tile, rows and columns are filled in. `side` runs between the tiles.
class ForwardProduct final : public RowsProduct {
 public:
  ForwardProduct(GemmContext&, std::size_t rows, const WeightLayout&, RowsOperand x, const void* packed_forward,
                 const ForwardEpilogue& epilogue, const SideTasks& side = {});
  void run_task(std::size_t task, int worker) const override;

 private:
  ForwardEpilogue epilogue_;
};

}  // namespace halfstep::internal
