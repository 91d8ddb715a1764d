#include "gemm/product_weight_gradient.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "gemm/tiling.hpp"

namespace halfstep::internal {

// What a task does at a time: its strips and blocks of columns, over some k.
struct WeightGradientProduct::BlockOfK {
  StripsTask task;
  std::size_t next_block;  // the first block of columns of the next task
  std::size_t k0, k;
};

WeightGradientProduct::WeightGradientProduct(GemmContext& ctx, std::size_t rows, const WeightLayout& layout,
                                             PanelsOperand d_y, PanelsOperand x, const WeightGradientTarget& target)
    : ctx_(ctx),
      family_(ctx.family(x.dtype)),
      layout_(layout),
      d_y_(d_y),
      x_(x),
      target_(target),
      plan_(plan_strips({&family_, rows, layout, ctx.executor.threads()})) {}

void WeightGradientProduct::run_task(std::size_t index, int worker) const {
  const Scratch scratch = ctx_.scratch(worker);
  scratch.converted = {};  // strips take the place of rows
  const StripsTask task = plan_.task(index);
  for (std::size_t k0 = 0; k0 == 0 || k0 < plan_.k; k0 += plan_.k_block) {  // once of no rows: zero
    const BlockOfK now = {task, plan_.block_begin(index + 1), k0, std::min(plan_.k_block, plan_.k - k0)};
    for (std::size_t block = task.block_begin; block < task.block_end; ++block) run_block(now, block, scratch);
  }
}

void WeightGradientProduct::run_block(const BlockOfK& now, std::size_t block, const Scratch& scratch) const {
  const std::size_t element = size_of(x_.dtype), columns = layout_.block_columns(block);
  const auto rhs_at = [&](std::size_t b) {
    return at(x_.data, (b * kMostPanels * x_.panel_stride + now.k0 * kLanes) * element);
  };
  const TileCall call{.family = family_,
                      .on_widened = ctx_.on_widened(family_),
                      .lhs_panel = true,
                      .k = now.k,
                      .lhs_stride = 1,
                      .rhs = rhs_at(block),
                      .next_rhs = rhs_at(block + 1 < now.task.block_end ? block + 1 : now.next_block),
                      .rhs_stride = x_.panel_stride,
                      .element = element,
                      .panels = columns / kLanes,
                      .widened = scratch.rhs,
                      .ldc = columns,
                      .accumulate = now.k0 > 0 || target_.accumulate};
  std::size_t number = 0;
  for (std::size_t strip = now.task.strip_begin; strip < now.task.strip_end; ++strip) {
    const void* const stored = at(d_y_.data, (strip * d_y_.panel_stride + now.k0 * kLanes) * element);
    float* const converted = scratch.lhs + plan_.converted_place(now.task, strip, now.k);
    if (plan_.widens_strips && block == now.task.block_begin) {
      ctx_.kernels.widen_panel[index_of(x_.dtype)](now.k, stored, converted);
    }
    run_strip(call, plan_.widens_strips ? converted : stored, strip, block, number);
    if (now.k0 + now.k < plan_.k) continue;
    target_.squares[strip * plan_.blocks + block] =
        ctx_.kernels.sum_squares(layout_.block_size(strip, block), target_.grad + layout_.block_offset(strip, block));
  }
}

void WeightGradientProduct::run_strip(const TileCall& call, const void* lhs, std::size_t strip, std::size_t block,
                                      std::size_t& number) const {
  const std::size_t rows = layout_.strip_rows(strip), lhs_row = family_.lhs_bytes * family_.lhs_pair;
  float* const out = target_.grad + layout_.block_offset(strip, block);
  for (std::size_t row = 0; row < rows;) {
    const TileCall::Tile tile = call.next(number, rows - row);
    call.run(number++, tile.height, at(lhs, row * lhs_row), out + row * call.ldc);
    row += tile.rows;
  }
}

}  // namespace halfstep::internal
