#include "gemm/product_strips.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "gemm/tiling.hpp"

namespace halfstep::internal {

// What a task does at a time: its strips and blocks of columns, over some k.
struct StripsProduct::BlockOfK {
  StripsTask task;
  std::size_t next_block;  // the first block of columns of the next task
  std::size_t k0, k;
};

StripsProduct::StripsProduct(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand left,
                             PanelsOperand right, float* result, bool accumulate, Wanted wanted)
    : ctx_(ctx),
      layout_(layout),
      family_(ctx.family(right.dtype)),
      left_(left),
      right_(right),
      result_(result),
      accumulate_(accumulate),
      wanted_(wanted),
      plan_(plan_strips({&family_, rows, layout, ctx.executor.threads()})) {}

void StripsProduct::run_task(std::size_t index, int worker) const {
  const Scratch scratch = ctx_.scratch(worker);
  scratch.converted = {};  // strips take the place of rows
  const StripsTask task = plan_.task(index);
  for (std::size_t k0 = 0; k0 == 0 || k0 < plan_.k; k0 += plan_.k_block) {  // once of no rows: zero
    const BlockOfK now = {task, plan_.block_begin(index + 1), k0, std::min(plan_.k_block, plan_.k - k0)};
    for (std::size_t block = task.block_begin; block < task.block_end; ++block) run_block(now, block, scratch);
  }
}

// Panels of a block that are not wanted of a strip: those left of the diagonal.
std::size_t StripsProduct::panels_before(std::size_t strip, std::size_t block) const {
  return wanted_ == Wanted::all || strip <= block * kMostPanels ? 0 : strip - block * kMostPanels;
}

void StripsProduct::run_block(const BlockOfK& now, std::size_t block, const Scratch& scratch) const {
  const std::size_t element = size_of(right_.dtype), panels = layout_.block_columns(block) / kLanes;
  const auto rhs_at = [&](std::size_t panel) {
    return at(right_.data, (panel * right_.panel_stride + now.k0 * kLanes) * element);
  };
  const std::size_t next = block + 1 < now.task.block_end ? block + 1 : now.next_block;
  std::size_t number = 0;
  for (std::size_t strip = now.task.strip_begin; strip < now.task.strip_end; ++strip) {
    const std::size_t before = panels_before(strip, block);
    if (before >= panels) continue;
    const std::size_t columns = (panels - before) * kLanes;
    const TileCall call{.family = family_,
                        .on_widened = ctx_.on_widened(family_),
                        .lhs_panel = true,
                        .k = now.k,
                        .lhs_stride = 1,
                        .rhs = rhs_at(block * kMostPanels + before),
                        .next_rhs = rhs_at(next * kMostPanels),
                        .rhs_stride = right_.panel_stride,
                        .element = element,
                        .panels = panels - before,
                        .widened = scratch.rhs + before * TileCall::widened_panel(now.k),
                        .ldc = columns,
                        .accumulate = now.k0 > 0 || accumulate_};
    const void* const stored = at(left_.data, (strip * left_.panel_stride + now.k0 * kLanes) * element);
    float* const converted = scratch.lhs + plan_.converted_place(now.task, strip, now.k);
    const std::size_t first = wanted_ == Wanted::all ? 0 : strip / kMostPanels;  // block that wants the strip
    if (plan_.widens_strips && block == std::max(first, now.task.block_begin)) {
      ctx_.kernels.widen_panel[index_of(right_.dtype)](now.k, stored, converted);
    }
    float* const out = result_ + layout_.block_offset(strip, block);
    run_strip(call, plan_.widens_strips ? converted : stored, strip, out, number);
    if (now.k0 + now.k >= plan_.k) finish({strip, block * kBlockColumns + before * kLanes, columns, out});
  }
}

void StripsProduct::run_strip(const TileCall& call, const void* lhs, std::size_t strip, float* out,
                              std::size_t& number) const {
  const std::size_t rows = layout_.strip_rows(strip), lhs_row = family_.lhs_bytes * family_.lhs_pair;
  for (std::size_t row = 0; row < rows;) {
    const TileCall::Tile tile = call.next(number, rows - row);
    call.run(number++, tile.height, at(lhs, row * lhs_row), out + row * call.ldc);
    row += tile.rows;
  }
}

}  // namespace halfstep::internal
