#pragma once
#include "gemm/product_strips.hpp"

namespace halfstep::internal {

// Where a weight gradient goes.
struct WeightGradientTarget {
  float* grad;      // in strips
  bool accumulate;  // it is added to
  double* squares;  // [strip * blocks + block] gets the sum of squares of each finished block
};

// grad (+)= d_y^T x, both of one storage type and of `rows` rows, an even count: of none it is zero. Widths are at
// least 1.
class WeightGradientProduct final : public StripsProduct {
 public:
  WeightGradientProduct(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand d_y,
                        PanelsOperand x, const WeightGradientTarget& target)
      : StripsProduct(ctx, rows, layout, d_y, x, target.grad, target.accumulate, Wanted::all),
        squares_(target.squares) {}

 private:
  void finish(const StripPart& part) const override {
    squares_[part.strip * layout_.blocks() + part.column / kBlockColumns] =
        ctx_.kernels.sum_squares(layout_.strip_rows(part.strip) * part.columns, part.sums);
  }

  double* squares_;
};

}  // namespace halfstep::internal
