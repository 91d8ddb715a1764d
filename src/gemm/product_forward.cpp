#include "gemm/product_forward.hpp"

#include "gemm/rows_task.hpp"

namespace halfstep::internal {
namespace {

// The epilogue of some columns. What it hands on is made anew each time: what was just written field by field would be
// copied in larger pieces, and wait until each of them has left the core.
struct ForwardColumns {
  const KernelTable& kernels;
  const ForwardEpilogue& whole;
  const std::size_t column, columns;

  void operator()(float* sums, std::size_t row, std::size_t rows) const {
    ForwardEpilogue e = whole;
    e.tile = sums;
    e.rows = rows;
    e.columns = columns;
    e.bias += column;
    if (e.logits) {
      e.logits += row * e.logits_ld + column;
      return kernels.logits_epilogue(e);
    }
    e.y = shifted(whole.y, row, column);
    e.z = advance(e.z, (row * e.z_ld + column) * size_of(e.y.dtype));
    if (e.skip) e.skip = at(e.skip, (row * e.skip_ld + column) * size_of(e.skip_dtype));
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
    return ForwardColumns{ctx_.kernels, epilogue_, column, columns};
  });
}

}  // namespace halfstep::internal
