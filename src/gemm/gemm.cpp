#include "gemm/gemm.hpp"

#include <algorithm>
#include <cstring>

namespace halfstep {
namespace {

// Most rows of the next tile: sixes, and two fours rather than a six and a two.
std::size_t tile_rows(std::size_t remaining) { return remaining == 8 ? 4 : std::min<std::size_t>(remaining, 6); }

const std::byte* at(const void* base, std::size_t bytes) { return static_cast<const std::byte*>(base) + bytes; }

// One strip of columns (at most kBlockColumns) of one tile: as many panels at a time as the ISA takes.
struct TileCall {
  const GemmFamily& family;
  std::size_t k;
  std::size_t lhs_stride;
  const void* rhs;
  std::size_t rhs_stride;  // elements
  std::size_t element;
  std::size_t panels;
  std::size_t ldc;
  bool accumulate;

  void run(const TileFunction (*functions)[4], std::size_t rows, const void* lhs, float* c) const {
    for (std::size_t p = 0; p < panels; p += family.max_panels) {
      const std::size_t count = std::min(family.max_panels, panels - p);
      functions[rows / 2 - 1][count - 1](k, lhs, lhs_stride, at(rhs, p * rhs_stride * element), rhs_stride,
                                         c + p * kLanes, ldc, accumulate);
    }
  }
};

// lhs [rows][k] times panels over n columns. emit(tile, row, rows, column, columns, chunk_first) takes finished tiles.
template <class Emit>
void rows_product(GemmContext& ctx, std::size_t rows, std::size_t n, std::size_t k, RowsOperand lhs, const void* packed,
                  std::size_t panel_stride, Emit emit) {
  const GemmFamily& family = ctx.family();
  const bool widen = family.widen_lhs;
  const std::size_t k_even = round_up(k, 2);
  // Unwidened, a block of 64 columns streams from L2 up to 2048 k without loss; beyond that, halves of it.
  const std::size_t k_block = widen ? GemmContext::kWidenK : (k_even <= 2048 ? k_even : 1024);
  const std::size_t task_rows = rows >= 8 * kSumRows ? GemmContext::kTaskRows : kSumRows;
  const std::size_t task_columns = widen ? GemmContext::kGroups * kBlockColumns : kBlockColumns;
  const std::size_t row_tasks = (rows + task_rows - 1) / task_rows;
  const std::size_t column_tasks = (n + task_columns - 1) / task_columns;

  auto body = [&](std::size_t task, int worker) {
    const std::size_t row_begin = (task % row_tasks) * task_rows;
    const std::size_t row_end = std::min(rows, row_begin + task_rows);
    const std::size_t column_begin = (task / row_tasks) * task_columns;
    const std::size_t column_end = std::min(n, column_begin + task_columns);
    float* const tiles = ctx.tile_scratch(worker);
    for (std::size_t k0 = 0; k0 < k_even; k0 += k_block) {
      const std::size_t kc = std::min(k_block, k_even - k0);
      const bool last = k0 + kc == k_even;
      const std::size_t widened_ld = round_up(kc, kLanes) + kLanes;  // off powers of two: rows in distinct cache sets
      if (widen) {
        for (std::size_t i = row_begin; i < row_end; ++i) {
          ctx.kernels.to_fp32[static_cast<std::size_t>(ctx.dtype)](
              kc, at(lhs.data, (i * lhs.ld + k0) * ctx.element()),
              ctx.lhs_scratch(worker) + (i - row_begin) * widened_ld);
        }
      }
      for (std::size_t c = column_begin; c < column_end; c += kBlockColumns) {
        const std::size_t columns = std::min(kBlockColumns, column_end - c);
        const void* rhs = at(packed, (c / kLanes * panel_stride + k0 * kLanes) * ctx.element());
        const std::size_t units = widen || ctx.dtype == Dtype::fp32 ? 1 : 2;  // elements of one 4-byte unit
        const TileCall call{family,
                            kc,
                            widen ? widened_ld : lhs.ld / units,
                            rhs,
                            panel_stride,
                            ctx.element(),
                            (columns + kLanes - 1) / kLanes,
                            kBlockColumns,
                            k0 > 0};
        for (std::size_t i = row_begin, count; i < row_end; i += count) {
          // No tile crosses a chunk of sums: 50 rows are 48 and 2, not 42 and two fours.
          count = tile_rows(std::min(row_end - i, kSumRows - i % kSumRows));
          // A product in one k block reuses one small tile; several blocks keep their sums apart.
          const bool single = k_even <= k_block;
          float* tile = single ? tiles
                               : tiles + ((c - column_begin) / kBlockColumns * GemmContext::kTaskRows + i - row_begin) *
                                             kBlockColumns;
          const void* a = widen ? static_cast<const void*>(ctx.lhs_scratch(worker) + (i - row_begin) * widened_ld)
                                : at(lhs.data, (i * lhs.ld + k0) * ctx.element());
          call.run(family.rows_tile, count, a, tile);
          if (last) emit(tile, i, count, c, columns);
        }
      }
    }
  };
  ctx.executor.run(row_tasks * column_tasks, body);
}

StorageTarget shifted(const StorageTarget& target, std::size_t row, std::size_t column, std::size_t element) {
  auto move = [&](void* base, std::size_t elements) {
    return base ? static_cast<void*>(static_cast<std::byte*>(base) + elements * element) : nullptr;
  };
  return {move(target.rows, row * target.ld + column), target.ld,
          move(target.panels, column / kLanes * target.panel_stride + row * kLanes), target.panel_stride};
}

}  // namespace

GemmContext::GemmContext(const KernelTable& table, Executor& threads, Dtype type)
    : kernels(table),
      executor(threads),
      dtype(type),
      scratch_(static_cast<std::size_t>(threads.threads()) * kWorkerFloats) {}

void forward_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand x,
                     const void* packed_forward, const ForwardEpilogue& epilogue) {
  rows_product(ctx, rows, layout.out, layout.in, x, packed_forward, layout.forward_panel(),
               [&](const float* tile, std::size_t row, std::size_t count, std::size_t column, std::size_t columns) {
                 ForwardEpilogue e = epilogue;
                 e.tile = tile;
                 e.rows = count;
                 e.columns = columns;
                 e.bias += column;
                 e.y = shifted(epilogue.y, row, column, ctx.element());
                 e.z = shifted(epilogue.z, row, column, ctx.element());
                 if (e.logits) e.logits += row * e.logits_ld + column;
                 ctx.kernels.forward_epilogue[static_cast<std::size_t>(ctx.dtype)](e);
               });
}

void input_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand d_y,
                            const void* packed_backward, const BackwardEpilogue& epilogue) {
  const std::size_t width = pad_columns(layout.in);
  rows_product(ctx, rows, layout.in, layout.out, d_y, packed_backward, layout.backward_panel(),
               [&](const float* tile, std::size_t row, std::size_t count, std::size_t column, std::size_t columns) {
                 // Tiles never cross a chunk of 48 rows, and come in row order.
                 float* sums = epilogue.sums + row / kSumRows * width + column;
                 if (row % kSumRows == 0) std::memset(sums, 0, pad_columns(columns) * sizeof(float));
                 BackwardEpilogue e = epilogue;
                 e.tile = tile;
                 e.rows = count;
                 e.columns = columns;
                 e.saved = at(epilogue.saved, (row * epilogue.saved_ld + column) * ctx.element());
                 e.sums = sums;
                 e.d = shifted(epilogue.d, row, column, ctx.element());
                 ctx.kernels.backward_epilogue[static_cast<std::size_t>(ctx.dtype)](e);
               });
}

void weight_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand d_y,
                             PanelsOperand x, float* grad, bool accumulate, double* squares) {
  const GemmFamily& family = ctx.family();
  const bool widen = family.widen_lhs;
  const std::size_t strips = layout.strips(), blocks = layout.blocks();
  const std::size_t group = widen ? GemmContext::kGroups : 1;  // blocks of a task
  const std::size_t block_tasks = (blocks + group - 1) / group;
  const std::size_t strip_tasks = (strips + 3) / 4;

  auto body = [&](std::size_t task, int worker) {
    const std::size_t block_begin = task / strip_tasks * group;
    const std::size_t block_end = std::min(blocks, block_begin + group);
    const std::size_t strip_begin = task % strip_tasks * 4;
    const std::size_t strip_end = std::min(strips, strip_begin + 4);
    for (std::size_t k0 = 0; k0 < rows; k0 += GemmContext::kWidenK) {
      const std::size_t kc = std::min(GemmContext::kWidenK, rows - k0);
      for (std::size_t s = strip_begin; s < strip_end; ++s) {
        const void* panel = at(d_y.data, (s * d_y.panel_stride + k0 * kLanes) * ctx.element());
        const void* lhs = panel;
        if (widen) {
          ctx.kernels.widen_panel[static_cast<std::size_t>(ctx.dtype)](kc, panel, ctx.lhs_scratch(worker));
          lhs = ctx.lhs_scratch(worker);
        }
        const std::size_t strip_rows = std::min(kLanes, pad_rows(layout.out - s * kLanes));
        for (std::size_t b = block_begin; b < block_end; ++b) {
          const std::size_t columns = layout.block_columns(b);
          float* const out = grad + layout.block_offset(s, b);
          const void* rhs = at(x.data, (b * 4 * x.panel_stride + k0 * kLanes) * ctx.element());
          const TileCall call{
              family, kc, 1, rhs, x.panel_stride, ctx.element(), columns / kLanes, columns, k0 > 0 || accumulate};
          for (std::size_t i = 0, count; i < strip_rows; i += count) {
            count = tile_rows(strip_rows - i);
            call.run(family.panel_tile, count, at(lhs, i * 4), out + i * columns);
          }
          if (k0 + kc == rows) squares[s * blocks + b] = ctx.kernels.sum_squares(kLanes * columns, out);
        }
      }
    }
  };
  ctx.executor.run(strip_tasks * block_tasks, body);
}

}  // namespace halfstep
