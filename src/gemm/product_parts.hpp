#pragma once
#include "base/function_ref.hpp"
#include "gemm/product_strips.hpp"

namespace halfstep::internal {

// left^T right, each part of which is handed on as soon as it is there. Both referenced things outlive it.
class PartsProduct final : public StripsProduct {
 public:
  PartsProduct(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand left, PanelsOperand right,
               float* result, Wanted wanted, FunctionRef<void(const StripPart&)> see)
      : StripsProduct(ctx, rows, layout, left, right, result, false, wanted), see_(see) {}

 private:
  void finish(const StripPart& part) const override { see_(part); }

  FunctionRef<void(const StripPart&)> see_;
};

}  // namespace halfstep::internal
