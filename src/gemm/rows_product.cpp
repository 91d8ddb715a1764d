#include "gemm/rows_product.hpp"

#include "base/dtype.hpp"

namespace halfstep::internal {

RowsProduct::RowsProduct(GemmContext& ctx, std::size_t rows, std::size_t columns, std::size_t k,
                         const RowsOperands& operands, std::size_t row_grain, const SideTasks& side)
    : ctx_(ctx),
      operands_(operands),
      plan_(ctx.plans.rows({.family = &ctx.family(operands.lhs.dtype),
                            .rows = pad_rows(rows),
                            .columns = columns,
                            .k = k,
                            .element = size_of(operands.lhs.dtype),
                            .row_grain = row_grain,
                            .threads = ctx.executor.threads()})),
      side_(side),
      first_row_(rows == 1) {}

void RowsProduct::begin() {
  number_ = ctx_.next_product();
  if (!plan_.side_apart) return;
  ctx_.executor.run(side_.count, [&](std::size_t task, int) { side_.run(task); });
  side_ = {};
}

}  // namespace halfstep::internal
