#pragma once
#include "gemm/operands.hpp"
#include "gemm/plan.hpp"
#include "gemm/product.hpp"

namespace halfstep::internal {

struct TileCall;

// Where a weight gradient goes.
struct WeightGradientTarget {
  float* grad;      // in strips
  bool accumulate;  // it is added to
  double* squares;  // [strip * blocks + block] gets the sum of squares of each finished block
};

// grad (+)= d_y^T x, both of one storage type and of `rows` rows, an even count: of none it is zero. Widths are at
// least 1.
class WeightGradientProduct final : public MatrixProduct {
 public:
  WeightGradientProduct(GemmContext&, std::size_t rows, const WeightLayout&, PanelsOperand d_y, PanelsOperand x,
                        const WeightGradientTarget&);
  std::size_t tasks() const override { return plan_.tasks; }
  int threads() const override { return plan_.threads; }
  void run_task(std::size_t task, int worker) const override;

 private:
  struct BlockOfK;
  void run_block(const BlockOfK&, std::size_t block, const Scratch&) const;
  void run_strip(const TileCall&, const void* lhs, std::size_t strip, std::size_t block, std::size_t& number) const;

  GemmContext& ctx_;
  const GemmFamily& family_;
  WeightLayout layout_;
  PanelsOperand d_y_, x_;
  WeightGradientTarget target_;
  StripsPlan plan_;
};

}  // namespace halfstep::internal
