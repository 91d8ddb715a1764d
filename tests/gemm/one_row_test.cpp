// A batch of one row, whose tiles are its own: the bits of the same row in a batch, whatever stands behind it.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/products.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kRowsOfBatch = 5;

float between_ones(std::uint64_t stream, std::size_t index) { return 2.0f * Rng(11, stream).uniform(index) - 1.0f; }

StoredMatrix forward_rows(GemmContext& ctx, std::size_t rows, const ProductCase& c, RowsOperand x) {
  StoredMatrix y(c.dtype, pad_rows(rows), c.layout.out);
  ForwardEpilogue e = {};
  e.bias = c.bias.data();
  e.activation = Activation::relu;
  e.y = y.target();
  forward_product(ctx, rows, c.layout, x, c.forward.data(), e);
  return y;
}

// Every row of the batch alone, with the next ones behind it, or NaN.
void check_rows_alone(Mismatches& wrong, GemmContext& ctx, ProductCase& c) {
  const StoredMatrix all = forward_rows(ctx, kRowsOfBatch, c, c.x.rows_operand());
  for (std::size_t row = 0; row < kRowsOfBatch; ++row) {
    StoredMatrix one(c.dtype, 2, c.layout.in);
    for (std::size_t i = 0; i < c.layout.in; ++i) {
      one.set(0, i, c.x.at(row, i));
      one.set(1, i, row % 2 == 0 ? kNan : 1.0f);
    }
    const StoredMatrix alone = forward_rows(ctx, 1, c, one.rows_operand());
    for (std::size_t o = 0; o < alone.ld; ++o) {
      const std::uint32_t want = o < pad_columns(c.layout.out) ? all.raw_row(row, o) : alone.raw_row(0, o);
      if (!same_stored(c.dtype, alone.raw_row(0, o), want)) {
        wrong.add("row ", row, " column ", o, ": ", hex(alone.raw_row(0, o)), " not ", hex(want));
      }
    }
    // What is behind may be read on: zeros there are made finite numbers, by the bias.
    for (std::size_t o = 0; o < c.layout.out; ++o) {
      const float bias = std::max(c.bias[o], 0.0f), got = alone.at(1, o);
      if (!(std::fabs(got - bias) <= 0.01f)) wrong.add("behind row ", row, " column ", o, ": ", got, " not ", bias);
    }
  }
}

void check_alone_on_every_isa(ProductCase& c, int threads) {
  const FpEnvGuard guard;
  const auto executor = make_executor(threads, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    GemmContext ctx(kernels, *executor);
    for (int way = 0; way < 4; ++way) {
      ctx.dot_bf16 = way < 2;
      ctx.widen_once = way % 2 == 1;
      Mismatches wrong;
      check_rows_alone(wrong, ctx, c);
      CHECK_MESSAGE(wrong.none(), std::string(kernels.name), " ", std::string(name(c.dtype)), " in ", c.layout.in,
                    " out ", c.layout.out, " way ", way, ": ", wrong.text());
    }
  });
}

TEST_CASE("one row: the bits of the row in a batch, at ragged sizes, on every ISA") {
  constexpr std::size_t kSizes[][2] = {{1, 1}, {2, 16}, {15, 17}, {30, 64}, {33, 47}, {65, 70}, {130, 150}};
  for (Dtype dtype : kEachDtype) {
    for (const auto& [in, out] : kSizes) {
      ProductCase c(dtype, kRowsOfBatch, in, out, between_ones);
      check_alone_on_every_isa(c, 1);
    }
  }
}

TEST_CASE("one row: several blocks of k, and several threads") {
  for (Dtype dtype : kEachDtype) {
    ProductCase c(dtype, kRowsOfBatch, 2080, 150, between_ones);
    check_alone_on_every_isa(c, 3);
  }
}

TEST_CASE("one row: infinities and NaN go where they go in a batch") {
  for (Dtype dtype : kEachDtype) {
    ProductCase c(dtype, kRowsOfBatch, 33, 70, between_ones);
    c.x.set(1, 7, kNan);
    c.x.set(2, 32, std::numeric_limits<float>::infinity());
    c.set_weight(69, 5, -std::numeric_limits<float>::infinity());
    c.set_weight(16, 0, kNan);
    check_alone_on_every_isa(c, 1);
  }
}

}  // namespace
