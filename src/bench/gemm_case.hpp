// One matrix product as the trainer does it, with its operands: what the GEMM benchmarks time.
#pragma once
#include <cstddef>

#include "base/arena.hpp"
#include "bench/operands.hpp"
#include "gemm/gemm.hpp"
#include "halfstep/bench.hpp"

namespace halfstep::internal {

class GemmCase {
 public:
  // The operands of operands.hpp, weights packed. Throws Error(out_of_memory).
  GemmCase(const KernelTable& kernels, Executor& executor, const GemmBenchShape& shape, GemmEpilogue epilogue);

  void run();

  // Element of the latest run's m x n result.
  float result(std::size_t row, std::size_t column) const;

 private:
  // A matrix in both layouts.
  struct Stored {
    std::size_t ld = 0, panel_stride = 0;
    Dtype dtype = Dtype::fp32;
    AlignedBuffer<std::byte> rows, panels;
    StorageTarget target() { return {rows.data(), ld, panels.data(), panel_stride, dtype}; }
    RowsOperand rows_operand() const { return {rows.data(), ld, dtype}; }
    PanelsOperand panels_operand() const { return {panels.data(), panel_stride, dtype}; }
  };
  Stored random_matrix(std::size_t rows, std::size_t columns, Operand operand) const;

  GemmContext context_;
  GemmBenchShape shape_;
  GemmEpilogue epilogue_;
  std::size_t batch_;
  WeightLayout layout_;
  Stored x_, d_y_;  // [batch][in], [batch][out]
  Stored result_;
  AlignedBuffer<std::byte> packed_;
  AlignedBuffer<float> bias_, sums_, grad_;
  std::vector<double> squares_;
};

}  // namespace halfstep::internal
