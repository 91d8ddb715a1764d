#include "gemm/product_forward.hpp"

#include "gemm/rows_task.hpp"

namespace halfstep::internal {
namespace {

// The epilogue of some columns.
struct ForwardColumns {
  const KernelTable& kernels;
  const ForwardEpilogue start;
  ForwardEpilogue e;

  ForwardColumns(const KernelTable& table, const ForwardEpilogue& whole, std::size_t column, std::size_t columns)
      : kernels(table), start(from(whole, column, columns)), e(start) {}

  static ForwardEpilogue from(ForwardEpilogue e, std::size_t column, std::size_t columns) {
    e.columns = columns;
    e.bias += column;
    e.z = advance(e.z, column * size_of(e.y.dtype));
    e.y = shifted(e.y, 0, column);
    if (e.skip) e.skip = at(e.skip, column * size_of(e.skip_dtype));
    if (e.logits) e.logits += column;
    return e;
  }
  void operator()(float* sums, std::size_t row, std::size_t rows) {
    e.tile = sums;
    e.rows = rows;
    if (e.logits) {
      e.logits = start.logits + row * e.logits_ld;
      return kernels.logits_epilogue(e);
    }
    e.y = shifted(start.y, row, 0);
    e.z = advance(start.z, row * e.z_ld * size_of(e.y.dtype));
    if (e.skip) e.skip = at(start.skip, row * e.skip_ld * size_of(e.skip_dtype));
    kernels.forward_epilogue[index_of(e.y.dtype)](e);
  }
};

}  // namespace

ForwardProduct::ForwardProduct(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand x,
                               const void* packed_forward, const ForwardEpilogue& epilogue, const SideTasks& side)
    : RowsProduct(ctx, rows, layout.out, layout.in, {x, packed_forward, layout.forward_panel()},
                  ctx.family(x.dtype).most_rows(1), side),
      epilogue_(epilogue) {}

void ForwardProduct::run_task(std::size_t task, int worker) const {
  run_rows(task, worker, [this](std::size_t column, std::size_t columns) {
    return ForwardColumns(ctx_.kernels, epilogue_, column, columns);
  });
}

}  // namespace halfstep::internal
