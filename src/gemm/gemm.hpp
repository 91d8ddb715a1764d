// The three matrix products of a dense layer, threads and cache blocks around the micro-kernels. fp32 accumulation in
// plain k order; tasks own output elements, so the number of threads cannot change a bit.
#pragma once
#include <cstddef>
#include <vector>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "gemm/cut.hpp"
#include "gemm/layout.hpp"
#include "gemm/side_tasks.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep {

// Column sums are taken over chunks of this many rows, then over chunks: one tree for every ISA and thread count.
inline constexpr std::size_t kSumRows = 48;
constexpr std::size_t sum_chunks(std::size_t rows) { return (rows + kSumRows - 1) / kSumRows; }

// Kernels, threads and their scratch memory: what a product needs besides its operands.
class GemmContext {
 public:
  GemmContext(const KernelTable& kernels, Executor& executor);

  const KernelTable& kernels;
  Executor& executor;

  bool widen_once;  // a right operand is converted by one tile for all, where the tiles can: the same bits
  bool dot_bf16;    // bf16 products by the CPU's instruction, where the ISA has one
  Cuts cuts;

  const GemmFamily& family(Dtype dtype) const {
    if (dtype == Dtype::bf16 && !dot_bf16 && kernels.bf16_by_fma.panels > 0) return kernels.bf16_by_fma;
    return kernels.gemm[index_of(dtype)];
  }
  // The tiles that follow the first over a right operand, where that converts it for them; else null.
  const GemmFamily* rest_of(const GemmFamily& f) const { return widen_once ? f.rest : nullptr; }
  float* tile_scratch(int worker) { return scratch_.data() + static_cast<std::size_t>(worker) * kWorkerFloats; }
  float* lhs_scratch(int worker) { return tile_scratch(worker) + kTileFloats; }
  float* rhs_scratch(int worker) { return lhs_scratch(worker) + kLhsFloats; }

  // Rows of a left operand that a worker has converted, from this one on with all their k: tasks on the same rows
  // follow each other. Zero product: none.
  struct alignas(kCacheLine) Converted {
    std::size_t product = 0, row = 0;
    bool operator==(const Converted&) const = default;
  };
  std::size_t next_product() { return ++products_; }
  Converted& converted(int worker) { return converted_[static_cast<std::size_t>(worker)]; }

  static constexpr std::size_t kTaskRows = 3 * kSumRows;
  static constexpr std::size_t kGroups = 8;  // column blocks of a task that widens one k block after the other
  static constexpr std::size_t kTileFloats = kGroups * kTaskRows * kBlockColumns;
  static constexpr std::size_t kMostConverted = 1024;  // k of what is converted at a time
  static constexpr std::size_t kLhsFloats = 2 * kTaskRows * (kMostConverted + kLanes);
  static constexpr std::size_t kRhsFloats = kBlockColumns * (kMostConverted + 1);
  static constexpr std::size_t kWorkerFloats = kTileFloats + kLhsFloats + kRhsFloats;

 private:
  AlignedBuffer<float> scratch_;
  std::vector<Converted> converted_;
  std::size_t products_ = 0;
};

// A row-major operand: [rows][ld], padding columns zero. Its storage type is that of the whole product: weights are
// packed in it too. What an epilogue writes may have another.
struct RowsOperand {
  const void* data;
  std::size_t ld;
  Dtype dtype;
};
// The same matrix in panels over its columns, k = rows.
struct PanelsOperand {
  const void* data;
  std::size_t panel_stride;  // elements
  Dtype dtype;
};

// The tasks of a product, `threads` as Executor::run takes them. A product hands them to `run`, if it gets one, and is
// done when that returns: so two products that do not need each other can share the threads.
struct ProductTasks {
  std::size_t count;
  TaskRef body;
  int threads;
};
using RunTasks = FunctionRef<void(const ProductTasks&)>;
// What a product ends with: `run`, or the executor where there is none.
void run_tasks(GemmContext&, const ProductTasks&, RunTasks run);
// Two products as one run. The tasks of `first` begin first.
void run_together(GemmContext&, const ProductTasks& first, const ProductTasks& second);

// Widths are at least 1; no rows are none of y and d_x, and a gradient of zero.

// A target from another row, even, and column on, a multiple of 16.
StorageTarget shifted(const StorageTarget& target, std::size_t row, std::size_t column);

// y = activation(x W^T + b) + skip. `epilogue` holds the targets of row 0, column 0; tile, rows and columns are filled
// in. `side` runs between the tiles.
void forward_product(GemmContext&, std::size_t rows, const WeightLayout&, RowsOperand x, const void* packed_forward,
                     const ForwardEpilogue& epilogue, const SideTasks& side = {});

// d_x = (d_y W + what skips) * activation'(saved). `epilogue.sums` is [sum_chunks(rows)][pad_columns(in)], overwritten.
void input_gradient_product(GemmContext&, std::size_t rows, const WeightLayout&, RowsOperand d_y,
                            const void* packed_backward, const BackwardEpilogue& epilogue, RunTasks run = {});

// grad (+)= d_y^T x in strips, both of one storage type; squares[strip * blocks + block] gets the sum of squares of
// each finished block.
void weight_gradient_product(GemmContext&, std::size_t rows, const WeightLayout&, PanelsOperand d_y, PanelsOperand x,
                             float* grad, bool accumulate, double* squares, RunTasks run = {});

}  // namespace halfstep
