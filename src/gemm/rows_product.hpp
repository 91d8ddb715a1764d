// A product whose left operand lies in rows: what the forward product and the input gradient share.
#pragma once
#include <cstddef>

#include "gemm/operands.hpp"
#include "gemm/plan.hpp"
#include "gemm/product.hpp"
#include "gemm/side_tasks.hpp"

namespace halfstep::internal {

// lhs [rows][k] times a matrix in panels, with panels `stride` elements apart.
struct RowsOperands {
  RowsOperand lhs;
  const void* packed;
  std::size_t stride;
};

class RowsProduct : public MatrixProduct {
 public:
  std::size_t tasks() const override { return plan_.tasks; }
  int threads() const override { return plan_.threads; }
  void begin() override;

 protected:
  // `rows`: of one, and of any odd count, the row behind is read and written too.
  RowsProduct(GemmContext&, std::size_t rows, std::size_t columns, std::size_t k, const RowsOperands&,
              std::size_t row_grain, const SideTasks&);

  // columns_from(column, columns) returns a function (sums, row, rows) for these columns: it takes finished sums, in
  // row order, never beyond a chunk of kSumRows rows. Defined in rows_task.hpp.
  template <class ColumnsFrom>
  void run_rows(std::size_t task, int worker, const ColumnsFrom& columns_from) const;

  GemmContext& ctx_;

 private:
  RowsOperands operands_;
  RowsPlan plan_;
  SideTasks side_;
  bool first_row_;          // there is one row: that behind it counts for nothing
  std::size_t number_ = 0;  // of this run, for ConvertedRows
};

}  // namespace halfstep::internal
