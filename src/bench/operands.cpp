#include "bench/operands.hpp"

#include <cmath>

#include "base/float16.hpp"
#include "base/rng.hpp"

namespace halfstep::internal {

float operand_value(Operand operand, std::size_t index) {
  return 2.0f * Rng(1, static_cast<std::uint64_t>(operand)).uniform(index) - 1.0f;
}

float stored_value(Dtype dtype, float value) {
  if (dtype == Dtype::bf16) return to_fp32(to_bf16(value));
  if (dtype == Dtype::fp16) return to_fp32(to_fp16(value));
  return value;
}

OperandView lhs_of(const GemmBenchShape& s) {
  if (s.product == Product::forward) return {Operand::x, s.k, 1};
  if (s.product == Product::input_gradient) return {Operand::d_y, s.k, 1};
  return {Operand::d_y, 1, s.m};
}

OperandView rhs_of(const GemmBenchShape& s) {
  if (s.product == Product::forward) return {Operand::weights, 1, s.k};
  if (s.product == Product::input_gradient) return {Operand::weights, s.n, 1};
  return {Operand::x, s.n, 1};
}

Dtype result_dtype(const GemmBenchShape& s) { return s.product == Product::weight_gradient ? Dtype::fp32 : s.dtype; }

// Tolerance: half a step of the result's type, and fp32 sums in any order, whose errors stay far below 1e-5 of the sum
// of magnitudes. Sums of k random terms are near sqrt(k) / 3: a wrong element is off by that.
ReferenceElement reference_element(const GemmBenchShape& s, std::size_t row, std::size_t column) {
  const OperandView lhs = lhs_of(s), rhs = rhs_of(s);
  double sum = 0, magnitude = 0;
  for (std::size_t k = 0; k < s.k; ++k) {
    const double a = stored_value(s.dtype, operand_value(lhs.operand, row * lhs.row_stride + k * lhs.column_stride));
    const double b = stored_value(s.dtype, operand_value(rhs.operand, k * rhs.row_stride + column * rhs.column_stride));
    sum += a * b;
    magnitude += std::fabs(a * b);
  }
  const Dtype dtype = result_dtype(s);
  const double half_step = dtype == Dtype::bf16 ? 0x1p-8 : dtype == Dtype::fp16 ? 0x1p-11 : 0x1p-24;
  return {sum, half_step * std::fabs(sum) + 1e-5 * magnitude + 1e-7};
}

}  // namespace halfstep::internal
