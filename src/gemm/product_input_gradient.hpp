#pragma once
#include "gemm/rows_product.hpp"

namespace halfstep::internal {

// d_x = (d_y W + what skips) * activation'(saved), of `rows` rows, an even count: of none there is nothing to do.
// `epilogue` holds the targets of row 0, column 0; its `sums` are [sum_chunks(rows)][pad_columns(in)], overwritten.
class InputGradientProduct final : public RowsProduct {
 public:
  InputGradientProduct(GemmContext&, std::size_t rows, const WeightLayout&, RowsOperand d_y,
                       const void* packed_backward, const BackwardEpilogue& epilogue);
  void run_task(std::size_t task, int worker) const override;

 private:
  BackwardEpilogue epilogue_;
  std::size_t sums_ld_;
};

}  // namespace halfstep::internal
