#include "gemm/product_input_gradient.hpp"

#include <cstring>

#include "gemm/rows_task.hpp"

namespace halfstep::internal {
namespace {

// The epilogue of some columns.
struct BackwardColumns {
  const KernelTable& kernels;
  const std::size_t sums_ld;
  const BackwardEpilogue start;
  BackwardEpilogue e;

  BackwardColumns(const KernelTable& table, std::size_t ld, const BackwardEpilogue& whole, std::size_t column,
                  std::size_t columns)
      : kernels(table), sums_ld(ld), start(from(whole, column, columns)), e(start) {}

  static BackwardEpilogue from(BackwardEpilogue e, std::size_t column, std::size_t columns) {
    e.columns = columns;
    e.saved = at(e.saved, column * size_of(e.saved_dtype));
    e.sums += column;
    e.d = shifted(e.d, 0, column);
    if (e.d_y) e.d_y += column;
    return e;
  }
  void operator()(float* tile, std::size_t row, std::size_t rows) {
    e.tile = tile;
    e.rows = rows;
    e.saved = at(start.saved, row * e.saved_ld * size_of(e.saved_dtype));
    e.d = shifted(start.d, row, 0);
    if (e.d_y) e.d_y = start.d_y + row * e.d_y_ld;
    e.sums = start.sums + row / kSumRows * sums_ld;
    if (row % kSumRows == 0) std::memset(e.sums, 0, pad_columns(e.columns) * sizeof(float));
    kernels.backward_epilogue[index_of(e.d.dtype)](e);
  }
};

}  // namespace

// Tasks begin with a chunk of sums: each chunk is added up by one of them.
InputGradientProduct::InputGradientProduct(GemmContext& ctx, std::size_t rows, const WeightLayout& layout,
                                           RowsOperand d_y, const void* packed_backward,
                                           const BackwardEpilogue& epilogue)
    : RowsProduct(ctx, rows, layout.in, layout.out, {d_y, packed_backward, layout.backward_panel()}, kSumRows, {}),
      epilogue_(epilogue),
      sums_ld_(pad_columns(layout.in)) {}

void InputGradientProduct::run_task(std::size_t task, int worker) const {
  run_rows(task, worker, [this](std::size_t column, std::size_t columns) {
    return BackwardColumns(ctx_.kernels, sums_ld_, epilogue_, column, columns);
  });
}

}  // namespace halfstep::internal
