// dW = dy^T x: both operands in panels, k = rows of the batch.
#include <algorithm>

#include "base/dtype.hpp"
#include "gemm/blocking.hpp"
#include "gemm/gemm.hpp"
#include "gemm/tiling.hpp"

namespace halfstep {

constexpr std::size_t kBatchRows = 1024;  // k of a block
constexpr std::size_t kTaskStrips = 8;    // share the block of x that is in cache
static_assert(kBatchRows <= GemmContext::kMostConverted);
static_assert(kTaskStrips * kBatchRows * kLanes <= GemmContext::kLhsFloats);

void weight_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand d_y,
                             PanelsOperand x, float* grad, bool accumulate, double* squares, RunTasks run) {
  const GemmFamily& family = ctx.family(x.dtype);
  const std::size_t element = size_of(x.dtype);
  const bool widen = family.widen_lhs;
  // From row to row of a panel of the left operand: fp32, a bf16 pair, or an fp16 value as stored.
  const std::size_t lhs_row = !widen && x.dtype == Dtype::fp16 ? 2 : 4;
  const std::size_t strips = layout.strips(), blocks = layout.blocks();
  const double work = work_of(layout.out, layout.in, rows);
  const int threads = threads_for(work, ctx.executor.threads());
  const std::size_t wanted = tasks_wanted(work, threads);
  // A strip that is converted serves several blocks.
  const std::size_t task_strips = task_share(strips, kTaskStrips, blocks, wanted);
  const std::size_t strip_tasks = (strips + task_strips - 1) / task_strips;
  const std::size_t task_blocks = widen ? task_share(blocks, 16, strip_tasks, wanted) : 1;
  const std::size_t block_tasks = (blocks + task_blocks - 1) / task_blocks;

  // Blocks run faster: a worker's share are whole strips, as it is in the update that reads them.
  auto block_begin_of = [=](std::size_t task) { return task % block_tasks * task_blocks; };

  auto body = [=, &ctx, &family](std::size_t task, int worker) {
    ctx.converted(worker) = {};  // strips take the place of rows
    const std::size_t block_begin = block_begin_of(task);
    const std::size_t block_end = std::min(blocks, block_begin + task_blocks);
    const std::size_t strip_begin = task / block_tasks * task_strips;
    const std::size_t strip_end = std::min(strips, strip_begin + task_strips);
    const std::size_t next_begin = block_begin_of(task + 1);
    for (std::size_t k0 = 0; k0 == 0 || k0 < rows; k0 += kBatchRows) {  // of no rows: zero
      const std::size_t kc = std::min(kBatchRows, rows - k0);
      auto stored = [&](std::size_t s) { return at(d_y.data, (s * d_y.panel_stride + k0 * kLanes) * element); };
      auto widened = [&](std::size_t s) {
        return ctx.lhs_scratch(worker) + (blocks == 1 ? 0 : s - strip_begin) * kc * kLanes;
      };
      for (std::size_t b = block_begin; b < block_end; ++b) {
        const std::size_t columns = layout.block_columns(b);
        auto rhs_at = [&](std::size_t block) {
          return at(x.data, (block * 4 * x.panel_stride + k0 * kLanes) * element);
        };
        const TileCall call{.family = family,
                            .rest = ctx.rest_of(family),
                            .lhs_panel = true,
                            .k = kc,
                            .lhs_stride = 1,
                            .rhs = rhs_at(b),
                            .next_rhs = rhs_at(b + 1 < block_end ? b + 1 : next_begin),
                            .rhs_stride = x.panel_stride,
                            .element = element,
                            .panels = columns / kLanes,
                            .widened = ctx.rhs_scratch(worker),
                            .ldc = columns,
                            .accumulate = k0 > 0 || accumulate};
        std::size_t number = 0;
        for (std::size_t s = strip_begin; s < strip_end; ++s) {
          const std::size_t strip_rows = layout.strip_rows(s);
          float* const out = grad + layout.block_offset(s, b);
          if (widen && b == block_begin) {
            ctx.kernels.widen_panel[index_of(x.dtype)](kc, stored(s), widened(s));
          }
          const void* const lhs = widen ? static_cast<const void*>(widened(s)) : stored(s);
          for (std::size_t i = 0; i < strip_rows;) {
            const std::size_t height = kHeights.next(strip_rows - i, call.most_rows(number));
            call.run(number++, height, at(lhs, i * lhs_row), out + i * columns);
            i += kTileHeights[height];
          }
          if (k0 + kc == rows) squares[s * blocks + b] = ctx.kernels.sum_squares(layout.block_size(s, b), out);
        }
      }
    }
  };
  run_tasks(ctx, {strip_tasks * block_tasks, body, threads}, run);
}

}  // namespace halfstep
