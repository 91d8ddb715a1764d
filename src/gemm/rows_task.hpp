// One task of a product whose left operand lies in rows: its tiles, block of k after block of k, and what becomes of
// their sums.
#pragma once
#include <algorithm>
#include <cstddef>

#include "base/dtype.hpp"
#include "gemm/rows_product.hpp"
#include "gemm/tiling.hpp"

namespace halfstep::internal {

// What a task needs while it runs, on the stack of its thread.
template <class ColumnsFrom>
struct RowsTaskRun {
  const KernelTable& kernels;
  const GemmFamily& family;
  const GemmFamily* on_widened;
  const RowsPlan& plan;
  const RowsOperands operands;
  const ColumnsFrom& columns_from;
  const Scratch scratch;
  const RowsTask task;
  const std::size_t next_block;  // the first block of columns of the next task
  SideShare* side;               // null: none
  const bool first_row;          // as in TileCall

  std::size_t element() const { return size_of(operands.lhs.dtype); }
  // Where a block begins and ends is a division each: asked for once.
  struct Panels {
    std::size_t begin, end;
  };
  const std::byte* rhs_of(std::size_t panel, std::size_t k0) const {
    return at(operands.packed, (panel * operands.stride + k0 * kLanes) * element());
  }
  // What is read after the tiles of this block.
  const std::byte* rhs_after(std::size_t block, const Panels& panels, std::size_t k0, std::size_t k) const {
    if (block + 1 < task.block_end) return rhs_of(panels.end, k0);
    if (k0 + k < plan.k) return rhs_of(plan.cut.panel_begin(task.block_begin), k0 + k);
    return rhs_of(next_block == block + 1 ? panels.end : plan.cut.panel_begin(next_block), 0);
  }

  TileCall call_of(std::size_t block, const Panels& panels, std::size_t k0, std::size_t k) const {
    return {
        .family = family,
        .on_widened = on_widened,
        .lhs_panel = false,
        .k = k,
        .lhs_stride = plan.widens_rows ? RowsPlan::converted_ld(k) : operands.lhs.ld * family.lhs_bytes / sizeof(float),
        .rhs = rhs_of(panels.begin, k0),
        .next_rhs = rhs_after(block, panels, k0, k),
        .rhs_stride = operands.stride,
        .element = element(),
        .panels = panels.end - panels.begin,
        .widened = scratch.rhs,
        .ldc = kBlockColumns,
        .accumulate = k0 > 0,
        .side = side,
        .first_row = first_row};
  }

  // `converts`: the rows are not in scratch memory yet, and this block is the first to read them.
  void run_block(std::size_t block, std::size_t k0, std::size_t k, bool converts) const {
    const Panels panels = {plan.cut.panel_begin(block), plan.cut.panel_begin(block + 1)};
    const TileCall call = call_of(block, panels, k0, k);
    const std::size_t column = panels.begin * kLanes;
    auto finish = columns_from(column, std::min(call.panels * kLanes, plan.columns - column));
    float* const rows = scratch.lhs + plan.converted_begin(task, k0);
    const std::size_t row_step = plan.converted_step(k), ld = operands.lhs.ld;
    const bool widens = plan.widens_rows, last_k = k0 + k == plan.k, each_tile = plan.finishes_each_tile;
    float* sums = scratch.sums + plan.sums_place(task, block, task.row_begin);
    std::size_t number = 0;
    for (std::size_t row = task.row_begin, first = row; row < task.row_end;) {
      const std::size_t left = std::min(task.row_end - row, kSumRows - row % kSumRows);
      const TileCall::Tile tile = call.next(number, left);
      const void* const stored = at(operands.lhs.data, (row * ld + k0) * element());
      float* const converted = rows + (row - task.row_begin) * row_step;
      if (converts) {
        kernels.widen_rows[index_of(operands.lhs.dtype)](tile.rows, round_up(k, kLanes), stored, ld, converted,
                                                         call.lhs_stride);
      }
      call.run(number++, tile.height, widens ? converted : stored, sums + (row - first) * kBlockColumns);
      row += tile.rows;
      if (tile.rows < left && !each_tile) continue;
      if (last_k) finish(sums, first, row - first);
      first = row;
      sums = scratch.sums + plan.sums_place(task, block, first);
    }
  }

  void run(bool converts) const {
    for (std::size_t k0 = 0; k0 < plan.k; k0 += plan.k_block) {
      const std::size_t k = std::min(plan.k_block, plan.k - k0);
      for (std::size_t block = task.block_begin; block < task.block_end; ++block) {
        run_block(block, k0, k, converts && block == task.block_begin);
      }
    }
  }
};

template <class ColumnsFrom>
void RowsProduct::run_rows(std::size_t index, int worker, const ColumnsFrom& columns_from) const {
  const GemmFamily& family = ctx_.family(operands_.lhs.dtype);
  const RowsTask task = plan_.task(index);
  const Scratch scratch = ctx_.scratch(worker);
  const ConvertedRows rows = plan_.keeps_rows ? ConvertedRows{number_, task.row_begin} : ConvertedRows{};
  const bool converted = plan_.keeps_rows && scratch.converted == rows;
  scratch.converted = rows;
  SideShare side(side_, index, plan_.tasks, side_.count > 0 ? plan_.tiles(family, task.rows()) : 0);
  RowsTaskRun<ColumnsFrom>{.kernels = ctx_.kernels,
                           .family = family,
                           .on_widened = ctx_.on_widened(family),
                           .plan = plan_,
                           .operands = operands_,
                           .columns_from = columns_from,
                           .scratch = scratch,
                           .task = task,
                           .next_block = plan_.block_begin(index + 1),
                           .side = side_.count > 0 ? &side : nullptr,
                           .first_row = first_row_}
      .run(plan_.widens_rows && !converted);
  side.finish();
}

}  // namespace halfstep::internal
