// How a product is carried out, as a value: what a task owns, how k is cut, what is converted and where it stands in
// scratch memory. The functions that make a plan are pure, and no plan changes a bit of the result.
#pragma once
#include <cstddef>

#include "gemm/blocking.hpp"
#include "gemm/cut.hpp"
#include "gemm/layout.hpp"
#include "gemm/scratch.hpp"

namespace halfstep::internal {

// A product [rows][k] x [k][columns] whose left operand lies in rows.
struct RowsRequest {
  const GemmFamily* family;
  std::size_t rows;       // even
  std::size_t columns;    // at least 1
  std::size_t k;          // at least 1
  std::size_t element;    // bytes of a value of the right operand
  std::size_t row_grain;  // tasks begin at multiples of it, or of kSumRows
  int threads;            // of the executor
  bool operator==(const RowsRequest&) const = default;
};

// What one task does: rows x blocks of columns, over all k.
struct RowsTask {
  std::size_t row_begin, row_end, block_begin, block_end;
  std::size_t rows() const { return row_end - row_begin; }
};

struct RowsPlan {
  Cut cut;                      // of rows, and of columns in blocks
  std::size_t columns = 0;      // that count; the panels of the cut may have more
  std::size_t k = 0;            // even
  std::size_t k_block = 0;      // of a tile, but for the last block
  std::size_t task_blocks = 1;  // blocks of columns that a task does, one after the other in each block of k
  std::size_t block_tasks = 0;  // tasks on the same rows: they follow each other
  std::size_t tasks = 0;
  int threads = 1;                  // as Executor::run takes them
  bool widens_rows = false;         // rows are converted to fp32 just before the first tile that reads them
  bool keeps_rows = false;          // and stay in scratch memory for the next task on the same rows
  bool finishes_each_tile = false;  // the epilogue takes each tile while it is in L1; else a chunk of rows at a time
  bool side_apart = true;           // side tasks run before the product: it has too few tasks to share them evenly
  bool operator==(const RowsPlan&) const = default;

  bool one_block() const { return cut.blocks == 1; }
  bool one_k_block() const { return k <= k_block; }
  std::size_t k_blocks() const { return (k + k_block - 1) / k_block; }
  RowsTask task(std::size_t index) const;
  // Columns run faster than rows: the rows of a task stay in L2 while the weights pass by.
  std::size_t block_begin(std::size_t task) const { return task % block_tasks * task_blocks; }
  // Tiles of a task of so many rows, about.
  std::size_t tiles(const GemmFamily& family, std::size_t rows) const;

  // Floats from one converted row to the next: no power of two, so that rows lie in distinct cache sets.
  static std::size_t converted_ld(std::size_t k) { return round_up(k, kLanes) + kLanes; }
  // Where in Scratch::lhs a task's rows are converted to for the block of k from k0 on. Rows that are kept have all
  // their blocks of k, one behind the other.
  std::size_t converted_begin(const RowsTask& task, std::size_t k0) const {
    return keeps_rows ? task.rows() * (k0 + k0 / k_block * kLanes) : 0;
  }
  // Floats from there to the same of the next row, in a block of so many k. Rows that no other block of columns will
  // read take turns in one place, which stays in L1.
  std::size_t converted_step(std::size_t k) const { return one_block() ? 0 : converted_ld(k); }
  // Where in Scratch::sums the sums of a chunk or tile begin, from its first row on, for one block of columns. Sums
  // over several blocks of k have a place each; those over one are finished at once, and share it.
  std::size_t sums_place(const RowsTask& task, std::size_t block, std::size_t first_row) const {
    const std::size_t row = (block - task.block_begin) * Scratch::kTaskRows + (first_row - task.row_begin);
    return one_k_block() ? 0 : row * kBlockColumns;
  }
};

// The same for the same request and caches. No rows are no tasks.
RowsPlan plan_rows(const RowsRequest&, const CacheSizes&);

// A product [out][rows] x [rows][in] with both operands in panels, its result in strips: k is the rows of a batch.
struct StripsRequest {
  const GemmFamily* family;
  std::size_t rows;
  WeightLayout layout;
  int threads;  // of the executor
};

// What one task does: strips x blocks of columns, over all k.
struct StripsTask {
  std::size_t strip_begin, strip_end, block_begin, block_end;
};

struct StripsPlan {
  std::size_t strips = 0, blocks = 0;  // of the result
  std::size_t k = 0, k_block = 0;
  std::size_t task_strips = 1, task_blocks = 1;
  std::size_t block_tasks = 0;  // tasks on the same strips: they follow each other
  std::size_t tasks = 0;
  int threads = 1;             // as Executor::run takes them
  bool widens_strips = false;  // panels of the left operand are converted to fp32 and serve all blocks of a task
  bool operator==(const StripsPlan&) const = default;

  StripsTask task(std::size_t index) const;
  // Blocks run faster than strips: a worker's share are whole strips, as it is in the update that reads them.
  std::size_t block_begin(std::size_t task) const { return task % block_tasks * task_blocks; }
  // Where in Scratch::lhs a strip's panel of so many k is converted to. One that no other block will read shares a
  // place.
  std::size_t converted_place(const StripsTask& task, std::size_t strip, std::size_t k) const {
    return blocks == 1 ? 0 : (strip - task.strip_begin) * k * kLanes;
  }
};

// The same for the same request. No rows have tasks too: they write a gradient of zero.
StripsPlan plan_strips(const StripsRequest&);

}  // namespace halfstep::internal
