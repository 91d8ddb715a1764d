// The three matrix products of a dense layer, threads and cache blocks around the micro-kernels. fp32 accumulation in
// plain k order; tasks own output elements, so the number of threads cannot change a bit.
#pragma once
#include "gemm/context.hpp"
#include "gemm/layout.hpp"
#include "gemm/operands.hpp"
#include "gemm/product.hpp"
#include "gemm/product_forward.hpp"
#include "gemm/product_input_gradient.hpp"
#include "gemm/product_parts.hpp"
#include "gemm/product_weight_gradient.hpp"
#include "gemm/side_tasks.hpp"

namespace halfstep::internal {

// Each makes a product of these operands and runs it.
inline void forward_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand x,
                            const void* packed_forward, const ForwardEpilogue& epilogue, const SideTasks& side = {}) {
  ForwardProduct product(ctx, rows, layout, x, packed_forward, epilogue, side);
  run(ctx, product);
}
inline void input_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, RowsOperand d_y,
                                   const void* packed_backward, const BackwardEpilogue& epilogue) {
  InputGradientProduct product(ctx, rows, layout, d_y, packed_backward, epilogue);
  run(ctx, product);
}
inline void weight_gradient_product(GemmContext& ctx, std::size_t rows, const WeightLayout& layout, PanelsOperand d_y,
                                    PanelsOperand x, float* grad, bool accumulate, double* squares) {
  WeightGradientProduct product(ctx, rows, layout, d_y, x, {grad, accumulate, squares});
  run(ctx, product);
}

}  // namespace halfstep::internal
