// What the GEMM benchmarks time is the product that it claims to be.
#include "bench/gemm_case.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "bench/operands.hpp"
#include "support/isa_loop.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::size_t wrong_elements(const GemmCase& product, const GemmBenchShape& shape) {
  std::size_t wrong = 0;
  for (std::size_t row = 0; row < shape.m; ++row) {
    for (std::size_t column = 0; column < shape.n; ++column) {
      const ReferenceElement r = reference_element(shape, row, column);
      if (!(std::fabs(product.result(row, column) - r.value) <= r.tolerance)) ++wrong;
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE("each benchmark product is that of its operands") {
  const auto executor = make_executor(2);
  test::for_each_runnable_isa([&](const KernelTable& kernels) {
    for (const Product product : {Product::forward, Product::input_gradient, Product::weight_gradient}) {
      for (const Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) {
        const GemmBenchShape shape = {.product = product, .dtype = dtype, .m = 21, .n = 37, .k = 19};
        INFO(name(product) << " " << name(dtype));
        GemmCase plain(kernels, *executor, shape, GemmEpilogue::plain);
        plain.run();
        CHECK(wrong_elements(plain, shape) == 0);
      }
    }
  });
}

TEST_CASE("the reference tells a transposed operand from the right one") {
  // Square, so that only the values differ.
  const GemmBenchShape forward = {.product = Product::forward, .dtype = Dtype::bf16, .m = 8, .n = 8, .k = 8};
  const auto executor = make_executor(1);
  GemmCase product(select_isa("scalar"), *executor, forward, GemmEpilogue::plain);
  product.run();
  GemmBenchShape other = forward;
  other.product = Product::input_gradient;
  CHECK(wrong_elements(product, other) > 56);
}
