// dW = dy^T x: both operands in panels, k = rows of the batch.
#include <algorithm>

#include "gemm/blocking.hpp"
#include "gemm/gemm.hpp"
#include "gemm/tiling.hpp"

namespace halfstep {

constexpr std::size_t kBatchRows = 1024;  // k of a block
static_assert(kBatchRows * kLanes <= GemmContext::kLhsFloats);

void weight_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand d_y,
                             PanelsOperand x, float* grad, bool accumulate, double* squares) {
  const GemmFamily& family = ctx.family(x.dtype);
  const std::size_t element = size_of(x.dtype);
  const bool widen = family.widen_lhs;
  // From row to row of a panel of the left operand: fp32, a bf16 pair, or an fp16 value as stored.
  const std::size_t lhs_row = !widen && x.dtype == Dtype::fp16 ? 2 : 4;
  const std::size_t strips = layout.strips(), blocks = layout.blocks();
  const int threads =
      threads_for(static_cast<double>(rows * layout.out) * static_cast<double>(layout.in), ctx.executor.threads());
  // Four strips share the block of x that is in cache. A strip that is converted serves several blocks.
  const std::size_t task_strips = task_share(strips, 4, blocks, threads);
  const std::size_t strip_tasks = (strips + task_strips - 1) / task_strips;
  const std::size_t task_blocks = widen ? task_share(blocks, 4, strip_tasks, threads) : 1;
  const std::size_t block_tasks = (blocks + task_blocks - 1) / task_blocks;

  auto body = [&](std::size_t task, int worker) {
    const std::size_t block_begin = task / strip_tasks * task_blocks;
    const std::size_t block_end = std::min(blocks, block_begin + task_blocks);
    const std::size_t strip_begin = task % strip_tasks * task_strips;
    const std::size_t strip_end = std::min(strips, strip_begin + task_strips);
    for (std::size_t k0 = 0; k0 < rows; k0 += kBatchRows) {
      const std::size_t kc = std::min(kBatchRows, rows - k0);
      for (std::size_t s = strip_begin; s < strip_end; ++s) {
        const void* panel = at(d_y.data, (s * d_y.panel_stride + k0 * kLanes) * element);
        const void* lhs = panel;
        if (widen) {
          ctx.kernels.widen_panel[static_cast<std::size_t>(x.dtype)](kc, panel, ctx.lhs_scratch(worker));
          lhs = ctx.lhs_scratch(worker);
        }
        const std::size_t strip_rows = std::min(kLanes, pad_rows(layout.out - s * kLanes));
        for (std::size_t b = block_begin; b < block_end; ++b) {
          const std::size_t columns = layout.block_columns(b);
          float* const out = grad + layout.block_offset(s, b);
          const TileCall call{.family = family,
                              .functions = family.panel_tile,
                              .k = kc,
                              .lhs_stride = 1,
                              .rhs = at(x.data, (b * 4 * x.panel_stride + k0 * kLanes) * element),
                              .rhs_stride = x.panel_stride,
                              .element = element,
                              .panels = columns / kLanes,
                              .ldc = columns,
                              .accumulate = k0 > 0 || accumulate};
          const std::size_t most = call.most_rows();
          for (std::size_t i = 0; i < strip_rows;) {
            const std::size_t height = kHeights.next(strip_rows - i, most);
            call.run(height, at(lhs, i * lhs_row), out + i * columns);
            i += kTileHeights[height];
          }
          if (k0 + kc == rows) squares[s * blocks + b] = ctx.kernels.sum_squares(kLanes * columns, out);
        }
      }
    }
  };
  ctx.executor.run(strip_tasks * block_tasks, body, threads);
}

}  // namespace halfstep
