// What the products of the benchmarks are made of: each contender multiplies the same numbers, and a reference tells
// what must come out.
#pragma once
#include <cstddef>
#include <cstdint>

#include "halfstep/bench.hpp"

namespace halfstep::internal {

// The matrices of a layer, row-major: d_y [batch][out], x [batch][in], weights [out][in].
enum class Operand : std::uint64_t { d_y = 1, x = 2, weights = 4 };

// Element `index` before it is rounded to a storage type, in [-1, 1).
float operand_value(Operand operand, std::size_t index);

// The value that is left after a round trip through the storage type.
float stored_value(Dtype dtype, float value);

// One side of a product: element (row, column) stands at row * row_stride + column * column_stride of the operand.
struct OperandView {
  Operand operand;
  std::size_t row_stride, column_stride;
};
OperandView lhs_of(const GemmBenchShape& shape);  // [m][k]
OperandView rhs_of(const GemmBenchShape& shape);  // [k][n]

// How a result is stored: the weight gradient in fp32, the others like the operands.
Dtype result_dtype(const GemmBenchShape& shape);

// Element (row, column) of the product in double, and how far a result may be from it.
struct ReferenceElement {
  double value, tolerance;
};
ReferenceElement reference_element(const GemmBenchShape& shape, std::size_t row, std::size_t column);

}  // namespace halfstep::internal
