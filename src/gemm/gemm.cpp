#include "gemm/gemm.hpp"

#include <algorithm>
#include <cstring>

#include "base/dtype.hpp"
#include "gemm/blocking.hpp"
#include "gemm/tiling.hpp"
#include "kernels/cpu.hpp"

namespace halfstep {
namespace {

static_assert(kSumRows <= TileHeights::kMostRows);

constexpr std::size_t kLongSum = 192;
// What a thread takes of another's share it writes where the other's cache has it, and that costs more than a task of
// short sums: they are cut in no more tasks than there are threads, unless a thread has this much to do (work_of; about
// 0.1 ms on Emerald Rapids).
constexpr std::size_t kShortSum = 32;
constexpr double kShortWork = 8e6;

// lhs [rows][k] times panels over n columns. columns_from(column, columns) gives a function (tile, row, rows) that
// takes finished sums of these columns in row order, never beyond a chunk of kSumRows rows.
template <class ColumnsFrom>
void rows_product(GemmContext& ctx, std::size_t rows, std::size_t n, std::size_t k, RowsOperand lhs, const void* packed,
                  std::size_t panel_stride, std::size_t row_grain, ColumnsFrom columns_from, RunTasks run = {},
                  const SideTasks& side = {}) {
  const GemmFamily& family = ctx.family(lhs.dtype);
  const std::size_t element = size_of(lhs.dtype);
  const bool widen = family.widen_lhs;
  const std::size_t k_even = round_up(k, 2);
  const std::size_t units = widen || lhs.dtype == Dtype::fp32 ? 1 : 2;  // elements of one 4-byte unit
  auto run_apart = [&] { ctx.executor.run(side.count, [&](std::size_t task, int) { side.run(task); }); };
  if (rows == 0) return run_apart();
  const double work = work_of(rows, n, k);
  const int threads = threads_for(work, ctx.executor.threads());
  const bool few_tasks = threads > 1 && k_even <= kShortSum && work < kShortWork * threads;
  auto most_rows = [&] {
    if (few_tasks) return GemmContext::kLhsFloats / (kShortSum + kLanes) / kSumRows * kSumRows;
    if (units == 2) return GemmContext::kTaskRows;
    return most_task_rows(widen ? std::min(k_even, GemmContext::kMostConverted) : k_even);
  };
  const Cut cut = ctx.cuts.of({rows, (n + kLanes - 1) / kLanes, most_rows(), row_grain, threads});
  const bool one_block = cut.blocks == 1;
  const std::size_t k_block = !widen      ? streamed_k(k_even, element)
                              : one_block ? narrow_k(k_even)
                                          : converted_k(k_even, cut.most_rows());
  const bool one_k_block = k_even <= k_block;
  // Converted rows stay for the next task; where they cannot, they serve several blocks of columns.
  const bool keeps_rows = widen && !one_block && keeps_converted(k_even, k_block, cut.most_rows());
  std::size_t task_blocks = 1;
  if (few_tasks) {
    task_blocks = task_share(cut.blocks, cut.blocks, cut.row_tasks, static_cast<std::size_t>(threads));
  } else if (widen && !one_block && !keeps_rows) {
    task_blocks = task_share(cut.blocks, GemmContext::kGroups, cut.row_tasks, tasks_wanted(work, threads));
  }
  const std::size_t column_tasks = (cut.blocks + task_blocks - 1) / task_blocks;
  // After a long sum its tile is finished while it is in L1; short ones share the cost of a call.
  const bool finish_each_tile = k_even >= kLongSum;

  // Too few tasks to share others evenly among the threads: those run by themselves.
  const std::size_t tasks = cut.row_tasks * column_tasks;
  const auto all_threads = static_cast<std::size_t>(ctx.executor.threads());
  const bool apart = all_threads > 1 && (threads == 1 || tasks < 2 * all_threads);
  if (apart) run_apart();
  const SideTasks beside = apart ? SideTasks{} : side;

  const std::size_t product = ctx.next_product();

  auto rhs_at = [=](std::size_t panel, std::size_t k0) {
    return at(packed, (panel * panel_stride + k0 * kLanes) * element);
  };
  auto block_begin_of = [=](std::size_t task) { return task % column_tasks * task_blocks; };

  auto tiles_of = [=, &family](std::size_t task_rows) {
    const std::size_t panels = (cut.panels + cut.blocks - 1) / cut.blocks;
    const std::size_t most = family.most_rows[std::min(family.panels, panels) - 1];
    return (task_rows + most - 1) / most * task_blocks * ((k_even + k_block - 1) / k_block);
  };

  auto body = [=, &ctx, &family](std::size_t task, int worker) {
    // Columns run faster: the rows of a task stay in L2 while the weights stream by.
    const std::size_t row_begin = cut.row_begin(task / column_tasks);
    const std::size_t row_end = cut.row_begin(task / column_tasks + 1);
    const std::size_t block_begin = block_begin_of(task);
    const std::size_t block_end = std::min(cut.blocks, block_begin + task_blocks);
    SideShare share(beside, task, tasks, tiles_of(row_end - row_begin));
    const GemmContext::Converted rows_of_task = {product, row_begin};
    const bool converted = keeps_rows && ctx.converted(worker) == rows_of_task;
    ctx.converted(worker) = keeps_rows ? rows_of_task : GemmContext::Converted{};
    for (std::size_t k0 = 0; k0 < k_even; k0 += k_block) {
      const std::size_t kc = std::min(k_block, k_even - k0);
      const std::size_t widened_ld = round_up(kc, kLanes) + kLanes;  // off powers of two: rows in distinct cache sets
      bool convert = widen && !converted;
      // Rows that are kept have their blocks of k one behind the other.
      float* const widened_rows =
          ctx.lhs_scratch(worker) + (keeps_rows ? (row_end - row_begin) * (k0 + k0 / k_block * kLanes) : 0);
      for (std::size_t block = block_begin; block < block_end; ++block) {
        const std::size_t panel = cut.panel_begin(block), panels = cut.panel_begin(block + 1) - panel;
        const bool last = block + 1 == block_end;
        const TileCall call{.family = family,
                            .rest = ctx.rest_of(family),
                            .lhs_panel = false,
                            .k = kc,
                            .lhs_stride = widen ? widened_ld : lhs.ld / units,
                            .rhs = rhs_at(panel, k0),
                            .next_rhs = !last              ? rhs_at(panel + panels, k0)
                                        : k0 + kc < k_even ? rhs_at(cut.panel_begin(block_begin), k0 + kc)
                                                           : rhs_at(cut.panel_begin(block_begin_of(task + 1)), 0),
                            .rhs_stride = panel_stride,
                            .element = element,
                            .panels = panels,
                            .widened = ctx.rhs_scratch(worker),
                            .ldc = kBlockColumns,
                            .accumulate = k0 > 0,
                            .side = beside.count > 0 ? &share : nullptr};
        std::size_t number = 0;
        auto finish = columns_from(panel * kLanes, std::min(panels * kLanes, n - panel * kLanes));
        // A product in one k block reuses a small buffer of sums; several blocks keep theirs apart.
        const std::size_t group = (block - block_begin) * GemmContext::kTaskRows;
        float* sums = ctx.tile_scratch(worker) + (one_k_block ? 0 : group * kBlockColumns);
        for (std::size_t row = row_begin, first = row; row < row_end;) {
          const std::size_t rest = std::min(row_end - row, kSumRows - row % kSumRows);
          const std::size_t height = kHeights.next(rest, call.most_rows(number)), count = kTileHeights[height];
          const void* const stored = at(lhs.data, (row * lhs.ld + k0) * element);
          // Rows that no other block of columns will read share one place, which stays in L1.
          float* const widened = widened_rows + (one_block ? 0 : row - row_begin) * widened_ld;
          if (convert) {  // just before the first tile reads them
            ctx.kernels.widen_rows[index_of(lhs.dtype)](count, round_up(kc, kLanes), stored, lhs.ld, widened,
                                                        widened_ld);
          }
          call.run(number++, height, widen ? widened : stored, sums + (row - first) * kBlockColumns);
          row += count;
          if (count < rest && !finish_each_tile) continue;
          if (k0 + kc == k_even) finish(sums, first, row - first);
          if (!one_k_block) sums += (row - first) * kBlockColumns;
          first = row;
        }
        convert = false;
      }
    }
    share.finish();
  };
  run_tasks(ctx, {tasks, body, threads}, run);
}

std::byte* advance(void* base, std::size_t bytes) { return base ? static_cast<std::byte*>(base) + bytes : nullptr; }

}  // namespace

StorageTarget shifted(const StorageTarget& target, std::size_t row, std::size_t column) {
  const std::size_t element = size_of(target.dtype);
  return {advance(target.rows, (row * target.ld + column) * element), target.ld,
          advance(target.panels, (column / kLanes * target.panel_stride + row * kLanes) * element), target.panel_stride,
          target.dtype};
}

GemmContext::GemmContext(const KernelTable& table, Executor& threads)
    : kernels(table),
      executor(threads),
      widen_once(slow_conversions()),
      dot_bf16(!slow_dot_bf16()),
      scratch_(static_cast<std::size_t>(threads.threads()) * kWorkerFloats),
      converted_(static_cast<std::size_t>(threads.threads())) {}

void run_tasks(GemmContext& ctx, const ProductTasks& tasks, RunTasks run) {
  if (run) return run(tasks);
  ctx.executor.run(tasks.count, tasks.body, tasks.threads);
}

void run_together(GemmContext& ctx, const ProductTasks& first, const ProductTasks& second) {
  auto body = [=](std::size_t task, int worker) {
    task < first.count ? first.body(task, worker) : second.body(task - first.count, worker);
  };
  ctx.executor.run(first.count + second.count, body, std::max(first.threads, second.threads));
}

void forward_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand x,
                     const void* packed_forward, const ForwardEpilogue& epilogue, const SideTasks& side) {
  const std::size_t element = size_of(epilogue.y.dtype), skip_element = size_of(epilogue.skip_dtype);
  auto columns_from = [=, &ctx](std::size_t column, std::size_t columns) {
    ForwardEpilogue e = epilogue;
    e.columns = columns;
    e.bias += column;
    e.y = shifted(epilogue.y, 0, column);
    e.z = advance(epilogue.z, column * element);
    if (e.skip) e.skip = at(epilogue.skip, column * skip_element);
    if (e.logits) e.logits += column;
    return [&ctx, element, skip_element, e, start = e](float* tile, std::size_t row, std::size_t count) mutable {
      e.tile = tile;
      e.rows = count;
      if (e.logits) {
        e.logits = start.logits + row * e.logits_ld;
        return ctx.kernels.logits_epilogue(e);
      }
      e.y = shifted(start.y, row, 0);
      e.z = advance(start.z, row * e.z_ld * element);
      if (e.skip) e.skip = at(start.skip, row * e.skip_ld * skip_element);
      ctx.kernels.forward_epilogue[index_of(e.y.dtype)](e);
    };
  };
  rows_product(ctx, rows, layout.out, layout.in, x, packed_forward, layout.forward_panel(),
               ctx.family(x.dtype).most_rows[0], columns_from, {}, side);
}

void input_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand d_y,
                            const void* packed_backward, const BackwardEpilogue& epilogue, RunTasks run) {
  const std::size_t width = pad_columns(layout.in), element = size_of(epilogue.saved_dtype);
  auto columns_from = [=, &ctx](std::size_t column, std::size_t columns) {
    BackwardEpilogue e = epilogue;
    e.columns = columns;
    e.saved = at(epilogue.saved, column * element);
    e.sums += column;
    e.d = shifted(epilogue.d, 0, column);
    if (e.d_y) e.d_y += column;
    return [&ctx, element, width, e, start = e](float* tile, std::size_t row, std::size_t count) mutable {
      e.tile = tile;
      e.rows = count;
      e.saved = at(start.saved, row * e.saved_ld * element);
      e.d = shifted(start.d, row, 0);
      if (e.d_y) e.d_y = start.d_y + row * e.d_y_ld;
      e.sums = start.sums + row / kSumRows * width;
      if (row % kSumRows == 0) std::memset(e.sums, 0, pad_columns(e.columns) * sizeof(float));
      ctx.kernels.backward_epilogue[index_of(e.d.dtype)](e);
    };
  };
  rows_product(ctx, rows, layout.in, layout.out, d_y, packed_backward, layout.backward_panel(), kSumRows, columns_from,
               run);
}

}  // namespace halfstep
