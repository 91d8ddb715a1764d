#include "gemm/plan.hpp"

#include <algorithm>

namespace halfstep::internal {
namespace {

constexpr std::size_t kLongSum = 192;
// What a thread takes of another's share it writes where the other's cache has it, and that costs more than a task of
// short sums: they are cut in no more tasks than there are threads, unless a thread has this much to do (work_of; about
// 0.1 ms on Emerald Rapids).
constexpr std::size_t kShortSum = 32;
constexpr double kShortWork = 8e6;

constexpr std::size_t kMostConvertedBlocks = 16;  // of a weight gradient, that one converted strip serves
constexpr std::size_t kBatchRows = 1024;          // k of a block of a weight gradient
constexpr std::size_t kTaskStrips = 8;            // share the block of x that is in cache
static_assert(kBatchRows <= Scratch::kMostConverted);
static_assert(kTaskStrips * kBatchRows * kLanes <= Scratch::kLhsFloats);

std::size_t most_rows(const RowsRequest& r, std::size_t k, bool few_tasks, const CacheSizes& caches) {
  if (few_tasks) return Scratch::kLhsFloats / (kShortSum + kLanes) / kSumRows * kSumRows;
  if (r.family->lhs_bytes < sizeof(float)) return Scratch::kTaskRows;
  return most_task_rows(caches, r.family->widen_lhs ? std::min(k, Scratch::kMostConverted) : k);
}

// What blocks of k are multiples of.
std::size_t k_step(const GemmFamily& family) { return std::max(kLanes, family.k_step); }

}  // namespace

RowsPlan plan_rows(const RowsRequest& r, const CacheSizes& caches) {
  RowsPlan plan;
  if (r.rows == 0) return plan;
  const GemmFamily& family = *r.family;
  const double work = work_of(r.rows, r.columns, r.k);
  const auto all_threads = static_cast<std::size_t>(r.threads);
  plan.columns = r.columns;
  plan.k = round_up(r.k, 2);
  plan.threads = threads_for(work, r.threads);
  const bool few_tasks = plan.threads > 1 && plan.k <= kShortSum && work < kShortWork * plan.threads;
  plan.cut = best_cut(
      {r.rows, pad_columns(r.columns) / kLanes, most_rows(r, plan.k, few_tasks, caches), r.row_grain, plan.threads});
  plan.widens_rows = family.widen_lhs;
  plan.k_block = !plan.widens_rows  ? streamed_k(caches, plan.k, k_step(family), r.element)
                 : plan.one_block() ? narrow_k(plan.k, k_step(family))
                                    : converted_k(caches, plan.k, k_step(family), plan.cut.most_rows());
  // Where converted rows cannot be kept for the next task, they serve several blocks of columns of their own task.
  const bool serves_more = plan.widens_rows && !plan.one_block();
  plan.keeps_rows = serves_more && keeps_converted(caches, plan.k, plan.k_block, plan.cut.most_rows());
  if (few_tasks) {
    plan.task_blocks = task_share(plan.cut.blocks, plan.cut.blocks, plan.cut.row_tasks, all_threads);
  } else if (serves_more && !plan.keeps_rows) {
    const std::size_t wanted = tasks_wanted(work, plan.threads);
    plan.task_blocks = task_share(plan.cut.blocks, Scratch::kTaskBlocks, plan.cut.row_tasks, wanted);
  }
  plan.block_tasks = (plan.cut.blocks + plan.task_blocks - 1) / plan.task_blocks;
  plan.tasks = plan.cut.row_tasks * plan.block_tasks;
  // Short sums share the cost of a call.
  plan.finishes_each_tile = plan.k >= kLongSum;
  plan.side_apart = all_threads > 1 && (plan.threads == 1 || plan.tasks < 2 * all_threads);
  return plan;
}

RowsTask RowsPlan::task(std::size_t index) const {
  const std::size_t row_task = index / block_tasks, first = block_begin(index);
  return {cut.row_begin(row_task), cut.row_begin(row_task + 1), first, std::min(cut.blocks, first + task_blocks)};
}

std::size_t RowsPlan::tiles(const GemmFamily& family, std::size_t rows) const {
  const std::size_t most = family.most_rows((cut.panels + cut.blocks - 1) / cut.blocks);
  return (rows + most - 1) / most * task_blocks * k_blocks();
}

StripsPlan plan_strips(const StripsRequest& r) {
  StripsPlan plan;
  plan.strips = r.layout.strips();
  plan.blocks = r.layout.blocks();
  plan.k = r.rows;
  plan.k_block = kBatchRows / k_step(*r.family) * k_step(*r.family);
  const double work = work_of(r.layout.out, r.layout.in, r.rows);
  plan.threads = threads_for(work, r.threads);
  const std::size_t wanted = tasks_wanted(work, plan.threads);
  plan.task_strips = task_share(plan.strips, kTaskStrips, plan.blocks, wanted);
  const std::size_t strip_tasks = (plan.strips + plan.task_strips - 1) / plan.task_strips;
  plan.widens_strips = r.family->widen_lhs;
  if (plan.widens_strips) plan.task_blocks = task_share(plan.blocks, kMostConvertedBlocks, strip_tasks, wanted);
  plan.block_tasks = (plan.blocks + plan.task_blocks - 1) / plan.task_blocks;
  plan.tasks = strip_tasks * plan.block_tasks;
  return plan;
}

StripsTask StripsPlan::task(std::size_t index) const {
  const std::size_t first = block_begin(index), strip = index / block_tasks * task_strips;
  return {strip, std::min(strips, strip + task_strips), first, std::min(blocks, first + task_blocks)};
}

}  // namespace halfstep::internal
