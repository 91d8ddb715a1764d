// Infinities and NaN, threads, and the same bits wherever a product runs.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/fp_env.hpp"
#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/products.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

float usual(std::uint64_t stream, std::size_t index) { return 2.0f * Rng(8, stream).uniform(index) - 1.0f; }

// Everything the three products write, in one row of 32-bit words.
std::vector<std::uint32_t> all_results(GemmContext& ctx, ProductCase& c, Activation activation) {
  const WeightLayout& l = c.layout;
  StoredMatrix y(c.dtype, c.rows, l.out), z(c.dtype, c.rows, l.out), d(c.dtype, c.rows, l.in);
  ForwardEpilogue forward = {};
  forward.bias = c.bias.data();
  forward.activation = activation;
  forward.y = y.target();
  forward.z = z.in_rows.data();
  forward.z_ld = z.ld;
  forward_product(ctx, c.rows, l, c.x.rows_operand(), c.forward.data(), forward);
  AlignedBuffer<float> sums(sum_chunks(c.rows) * pad_columns(l.in)), grad(l.size());
  BackwardEpilogue backward = {};
  backward.activation = activation;
  backward.saved = c.saved.in_rows.data();
  backward.saved_ld = c.saved.ld;
  backward.saved_dtype = c.saved.dtype;
  backward.sums = sums.data();
  backward.d = d.target();
  input_gradient_product(ctx, c.rows, l, c.d_y.rows_operand(), c.backward.data(), backward);
  std::vector<double> squares(l.strips() * l.blocks());
  weight_gradient_product(ctx, c.rows, l, c.d_y.panels_operand(), c.x.panels_operand(), grad.data(), false,
                          squares.data());

  std::vector<std::uint32_t> words;
  for (const StoredMatrix* m : {&y, &z, &d}) {
    for (std::size_t i = 0; i < m->in_rows.size() / size_of(c.dtype); ++i)
      words.push_back(raw(c.dtype, m->in_rows.data(), i));
    for (std::size_t i = 0; i < m->in_panels.size() / size_of(c.dtype); ++i)
      words.push_back(raw(c.dtype, m->in_panels.data(), i));
  }
  for (const AlignedBuffer<float>* f : {&sums, &grad}) {
    for (float v : *f) words.push_back(bits_of(v));
  }
  for (double s : squares) {
    words.push_back(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(s)));
    words.push_back(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(s) >> 32));
  }
  return words;
}

// Several tasks in each direction for every product.
constexpr std::size_t kBatch = 434, kIn = 300;

void check_same_bits(std::size_t out) {
  for (Dtype dtype : kEachDtype) {
    ProductCase c(dtype, kBatch, kIn, out, usual);
    std::vector<std::uint32_t> portable, native;
    for_each_runnable_isa([&](const KernelTable& kernels) {
      for (int threads : test_effort() < 1 ? std::vector{1, 3} : std::vector{1, 2, 3, 5, 8}) {
        const auto executor = make_executor(threads, "threads");
        GemmContext ctx(kernels, *executor);
        ctx.widen_once = threads % 2 == 1;  // nor may where a value is converted
        ctx.dot_bf16 = threads % 3 != 0;    // nor the instruction
        const std::vector<std::uint32_t> got = all_results(ctx, c, Activation::silu);
        std::vector<std::uint32_t>& expected = ctx.family(c.dtype).native ? native : portable;
        if (expected.empty()) expected = got;
        std::size_t differing = 0;
        for (std::size_t i = 0; i < got.size(); ++i) differing += got[i] != expected[i];
        CHECK_MESSAGE(differing == 0, std::string(kernels.name), " ", std::string(name(dtype)), " threads ", threads,
                      ": ", differing, " words differ");
        if (threads > 1 && std::string(kernels.name) == "scalar") break;  // slow, and its tasks are the same
      }
    });
  }
}

TEST_CASE("gemm: same bits with any number of threads and on every ISA, native ones for themselves") {
  check_same_bits(150);
  check_same_bits(10);  // short sums have tasks of their own
}

// Where a value of the inputs is not finite, every result that needs it is not finite either, and no other.
void check_spread(Mismatches& wrong, GemmContext& ctx, Dtype dtype, float bad) {
  ProductCase c(dtype, 9, 20, 18, [](std::uint64_t s, std::size_t i) { return 0.5f + 0.25f * usual(s, i); });
  c.x.set(3, 7, bad);
  c.d_y.set(4, 11, bad);
  const std::string what =
      std::string(ctx.kernels.name) + " " + std::string(name(dtype)) + (std::isnan(bad) ? " NaN" : " inf");
  StoredMatrix y(dtype, c.rows, 18), d(dtype, c.rows, 20);
  ForwardEpilogue forward = {};
  forward.bias = c.bias.data();
  forward.y = y.target();
  forward_product(ctx, c.rows, c.layout, c.x.rows_operand(), c.forward.data(), forward);
  AlignedBuffer<float> sums(pad_columns(20)), grad(c.layout.size());
  BackwardEpilogue backward = {};
  backward.saved = c.saved.in_rows.data();
  backward.saved_ld = c.saved.ld;
  backward.saved_dtype = c.saved.dtype;
  backward.sums = sums.data();
  backward.d = d.target();
  input_gradient_product(ctx, c.rows, c.layout, c.d_y.rows_operand(), c.backward.data(), backward);
  std::vector<double> squares(c.layout.strips() * c.layout.blocks());
  weight_gradient_product(ctx, c.rows, c.layout, c.d_y.panels_operand(), c.x.panels_operand(), grad.data(), false,
                          squares.data());

  auto expect = [&](const char* where, std::size_t r, std::size_t k, float got, bool hit) {
    if (std::isfinite(got) == hit || (hit && std::isnan(bad) && !std::isnan(got)))
      wrong.add(what, " ", where, " ", r, ",", k, ": ", got);
  };
  for (std::size_t r = 0; r < c.rows; ++r) {
    for (std::size_t o = 0; o < 18; ++o) expect("y", r, o, y.at(r, o), r == 3);
    for (std::size_t o = 18; o < 32; ++o) {
      if (y.raw_row(r, o) != 0 || y.raw_panel(r, o) != 0)
        wrong.add(what, " leaks to padding of y ", r, ",", o, ": ", y.at(r, o));
    }
    for (std::size_t i = 0; i < 20; ++i) expect("d_x", r, i, d.at(r, i), r == 4);
    for (std::size_t i = 20; i < 32; ++i) {
      if (d.raw_row(r, i) != 0 || d.raw_panel(r, i) != 0)
        wrong.add(what, " leaks to padding of d_x ", r, ",", i, ": ", d.at(r, i));
    }
  }
  for (std::size_t i = 0; i < 20; ++i) expect("sums", 0, i, sums[i], true);
  for (std::size_t i = 20; i < 32; ++i) expect("padding of sums", 0, i, sums[i], false);
  for (std::size_t o = 0; o < 18; ++o) {
    for (std::size_t i = 0; i < 20; ++i) expect("grad", o, i, grad[c.layout.offset(o, i)], o == 11 || i == 7);
  }
  for (std::size_t s = 0; s < squares.size(); ++s) {
    if (std::isfinite(squares[s])) wrong.add(what, " squares of strip ", s, " are finite: ", squares[s]);
  }
}

TEST_CASE("gemm: NaN and infinity spread exactly where they must, and not into padding") {
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      GemmContext ctx(kernels, *executor);
      for (float bad : {kNan, kInf, -kInf}) check_spread(wrong, ctx, dtype, bad);
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("gemm: a batch of no rows has a gradient of zero, and leaves an accumulated one") {
  const auto executor = make_executor(2);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      GemmContext ctx(kernels, *executor);
      ProductCase c(dtype, 7, 65, 33, usual);
      c.rows = 0;
      all_results(ctx, c, Activation::relu);
      AlignedBuffer<float> grad(c.layout.size());
      std::vector<double> squares(c.layout.strips() * c.layout.blocks(), 1.0);
      for (const bool accumulate : {true, false}) {
        for (std::size_t o = 0; o < c.layout.out; ++o) {
          for (std::size_t i = 0; i < c.layout.in; ++i) grad[c.layout.offset(o, i)] = 3.0f;
        }
        weight_gradient_product(ctx, 0, c.layout, c.d_y.panels_operand(), c.x.panels_operand(), grad.data(), accumulate,
                                squares.data());
        const auto left = std::count(grad.begin(), grad.end(), 3.0f);
        CHECK(static_cast<std::size_t>(left) == (accumulate ? c.layout.out * c.layout.in : 0));
      }
      CHECK(std::all_of(grad.begin(), grad.end(), [](float x) { return x == 0; }));
      CHECK(std::all_of(squares.begin(), squares.end(), [](double s) { return s == 0; }));
    }
  });
}

TEST_CASE("gemm: scaling by a power of two is exact") {
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      GemmContext ctx(kernels, *executor);
      const ProductCase a(dtype, 7, 65, 33, usual);
      const ProductCase b(dtype, 7, 65, 33,
                          [](std::uint64_t s, std::size_t i) { return (s == 3 ? 1024.0f : 1.0f) * usual(s, i); });
      AlignedBuffer<float> small(a.layout.size()), large(a.layout.size());
      std::vector<double> squares(a.layout.strips() * a.layout.blocks());
      weight_gradient_product(ctx, 8, a.layout, a.d_y.panels_operand(), a.x.panels_operand(), small.data(), false,
                              squares.data());
      weight_gradient_product(ctx, 8, b.layout, b.d_y.panels_operand(), b.x.panels_operand(), large.data(), false,
                              squares.data());
      std::size_t differing = 0;
      // fp16 stores the unscaled values a little coarser when they are subnormal; the samples are not.
      for (std::size_t i = 0; i < small.size(); ++i) differing += large[i] != 1024.0f * small[i];
      CHECK_MESSAGE((dtype == Dtype::fp16 ? differing < small.size() / 50 : differing == 0), std::string(kernels.name),
                    " ", std::string(name(dtype)), ": ", differing, " elements differ");
    }
  });
}

}  // namespace
