// The three products on every ISA: bit for bit the documented arithmetic, and within the error bound of a double sum.
#include <doctest/doctest.h>

#include <optional>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/products.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

struct Shape {
  std::size_t batch, in, out;
};

// Every ragged count of rows, inputs and outputs at least once, and a single row, which has tiles of its own, of each;
// K beyond one and two k blocks in each product; 434 rows leave a task of 50 rows, whose last tiles meet the border of
// a chunk of 48; {14, 2080, 70} keeps converted rows in two blocks of k for the next block of columns.
constexpr Shape kShapes[] = {
    {1, 1, 1},     {2, 15, 10},    {5, 16, 16},   {6, 17, 33},   {7, 63, 64},   {8, 64, 70},
    {10, 65, 10},  {47, 65, 1},    {48, 130, 33}, {49, 15, 70},  {50, 64, 16},  {97, 17, 10},
    {97, 130, 70}, {97, 16, 64},   {56, 1, 33},   {104, 33, 17}, {434, 17, 20}, {8, 1030, 6},
    {6, 2080, 17}, {14, 2080, 70}, {3, 20, 2080}, {3, 20, 1030}, {1100, 20, 7}, {2060, 5, 33},
    {482, 70, 1},  {1, 16, 16},    {1, 17, 33},   {1, 130, 70},  {1, 2080, 70}, {1, 20, 1030},
};

float usual(std::uint64_t stream, std::size_t index) { return 2.0f * Rng(3, stream).uniform(index) - 1.0f; }

std::string describe(const KernelTable& kernels, const ProductCase& c) {
  return std::string(kernels.name) + " " + std::string(name(c.dtype)) + " beside " + std::string(name(c.neighbour)) +
         " rows " + std::to_string(c.valid) + " in " + std::to_string(c.layout.in) + " out " +
         std::to_string(c.layout.out);
}

// Stored results in both layouts, or in rows alone, are `expected`, padding columns zero, nothing written beyond the
// rows.
void check_stored(Mismatches& wrong, const std::string& what, const StoredMatrix& got,
                  const std::vector<float>& expected, bool panels = true) {
  const std::size_t width = pad_columns(got.columns);
  StoredMatrix canary(got.dtype, got.rows, got.columns);
  canary.poison();
  for (std::size_t r = 0; r < got.rows + 2; ++r) {
    for (std::size_t c = 0; c < got.ld; ++c) {
      const bool written = r < got.rows && c < width;
      const std::uint32_t want = !written          ? canary.raw_row(r, c)
                                 : c < got.columns ? rounded(got.dtype, expected[r * got.columns + c])
                                                   : 0;
      if (!same_stored(got.dtype, got.raw_row(r, c), want)) {
        wrong.add(what, " row ", r, " column ", c, ": ", hex(got.raw_row(r, c)), " not ", hex(want));
      }
      if (panels && c < width && !same_stored(got.dtype, got.raw_panel(r, c), want)) {
        wrong.add(what, " in panels, row ", r, " column ", c, ": ", hex(got.raw_panel(r, c)), " not ", hex(want));
      }
    }
  }
}

// What passes a layer by: the input on the way forward, the gradient above it and below it on the way back. And what
// the gradient is multiplied by.
struct Skips {
  bool input = false, above = false, below = false;
  float factor = 1;
};

void check_forward(Mismatches& wrong, GemmContext& ctx, const ProductCase& c, Activation activation, bool skips,
                   const std::vector<float>& sums) {
  const std::size_t out = c.layout.out, width = pad_columns(out);
  const std::string what = describe(ctx.kernels, c) + " forward " + label(activation) + (skips ? " skipped" : "");
  StoredMatrix y(c.neighbour, c.rows, out), z(c.neighbour, c.rows, out);
  y.poison();
  z.poison();
  ForwardEpilogue e = {};
  e.bias = c.bias.data();
  e.activation = activation;
  e.y = y.target();
  e.z = z.in_rows.data();
  e.z_ld = z.ld;
  StoredMatrix skip(c.dtype, c.rows, out);
  for (std::size_t i = 0; i < c.valid * out; ++i) skip.set(i / out, i % out, usual(6, i));
  if (skips) e.skip = skip.in_rows.data();
  e.skip_ld = skip.ld;
  e.skip_dtype = c.dtype;
  forward_product(ctx, c.valid, c.layout, c.x.rows_operand(), c.forward.data(), e);
  std::vector<float> pre(sums.size()), post(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) pre[i] = sums[i] + c.bias[i % out];
  ctx.kernels.activate[static_cast<std::size_t>(c.neighbour)](activation, pre.size(), pre.data(), post.data());
  check_stored(wrong, what + " z", z, skips && !derivative_needs_input(activation) ? post : pre, false);
  for (std::size_t i = 0; skips && i < post.size(); ++i) post[i] += skip.at(i / out, i % out);
  check_stored(wrong, what + " y", y, post);

  AlignedBuffer<float> logits(c.rows * width);
  e.logits = logits.data();
  e.logits_ld = width;
  forward_product(ctx, c.valid, c.layout, c.x.rows_operand(), c.forward.data(), e);
  for (std::size_t r = 0; r < c.rows; ++r) {
    for (std::size_t o = 0; o < out; ++o) {
      const float got = logits[r * width + o];
      const Bounded b = wide_product(
          c.layout.in, c.bias[o], [&](std::size_t k) { return c.x.at(r, k); },
          [&](std::size_t k) { return c.weight[o * c.layout.in + k]; }, ctx.family(c.dtype).native);
      if (!same_bits(got, pre[r * out + o]))
        wrong.add(what, " logit ", r, ",", o, ": ", got, " not ", pre[r * out + o]);
      if (!(std::fabs(got - b.value) <= b.slack))
        wrong.add(what, " logit ", r, ",", o, ": ", got, " far from ", b.value);
    }
  }
}

void check_input_gradient(Mismatches& wrong, GemmContext& ctx, const ProductCase& c, Activation activation,
                          const Skips& skips, std::vector<float> sums) {
  const std::size_t in = c.layout.in, width = pad_columns(in);
  const std::string what = describe(ctx.kernels, c) + " input gradient " + label(activation);
  StoredMatrix d(c.neighbour, c.rows, in);
  d.poison();
  AlignedBuffer<float> column_sums(sum_chunks(c.rows) * width);
  for (float& v : column_sums) v = kNan;  // garbage of an earlier batch
  BackwardEpilogue e = {};
  e.activation = activation;
  e.saved = c.saved.in_rows.data();
  e.saved_ld = c.saved.ld;
  e.saved_dtype = c.saved.dtype;
  e.sums = column_sums.data();
  e.d = d.target();
  StoredMatrix d_y(Dtype::fp32, c.rows, in);
  d_y.poison();
  for (std::size_t i = 0; skips.above && i < c.rows * width; ++i) d_y.set(i / width, i % width, 0);
  for (std::size_t i = 0; skips.above && i < c.valid * in; ++i) d_y.set(i / in, i % in, usual(7, i));
  if (skips.above || skips.below) e.d_y = reinterpret_cast<float*>(d_y.in_rows.data());
  e.d_y_ld = d_y.ld;
  e.add_d_y = skips.above;
  e.keep_d_y = skips.below;
  e.factor = skips.factor;
  for (std::size_t i = 0; skips.above && i < sums.size(); ++i) sums[i] += d_y.at(i / in, i % in);
  input_gradient_product(ctx, c.rows, c.layout, c.d_y.rows_operand(), c.backward.data(), e);

  std::vector<float> saved(sums.size()), multiplied(sums.size()), expected(sums.size());
  for (std::size_t i = 0; i < saved.size(); ++i) saved[i] = c.saved.at(i / in, i % in);
  for (std::size_t i = 0; i < saved.size(); ++i) multiplied[i] = sums[i] * skips.factor;
  ctx.kernels.differentiate[static_cast<std::size_t>(c.neighbour)](activation, sums.size(), saved.data(),
                                                                   multiplied.data(), expected.data());
  check_stored(wrong, what, d, expected);
  if (skips.below) check_stored(wrong, what + " d_y", d_y, sums, false);
  for (std::size_t chunk = 0; chunk < sum_chunks(c.rows); ++chunk) {
    for (std::size_t i = 0; i < width; ++i) {
      float sum = 0;
      for (std::size_t r = chunk * kSumRows; i < in && r < std::min(c.rows, (chunk + 1) * kSumRows); ++r) {
        sum += expected[r * in + i];
      }
      const float got = column_sums[chunk * width + i];
      if (!same_bits(got, sum)) wrong.add(what, " sum of chunk ", chunk, " column ", i, ": ", got, " not ", sum);
    }
  }
  for (std::size_t r = 0; r < c.rows && activation == Activation::identity && !skips.above && skips.factor == 1; ++r) {
    for (std::size_t i = 0; i < in; ++i) {
      const Bounded b = wide_product(
          c.layout.out, 0, [&](std::size_t k) { return c.d_y.at(r, k); },
          [&](std::size_t k) { return c.weight[k * in + i]; }, ctx.family(c.dtype).native);
      const double storage = c.neighbour == Dtype::fp32 ? 0 : c.neighbour == Dtype::bf16 ? 0x1p-8 : 0x1p-11;
      const double least = c.neighbour == Dtype::fp16 ? 0x1p-25 : 0;
      const float got = d.at(r, i);
      if (!(std::fabs(got - b.value) <= b.slack * (1 + storage) + storage * std::fabs(b.value) + least)) {
        wrong.add(what, " at ", r, ",", i, ": ", got, " far from ", b.value);
      }
    }
  }
}

void check_weight_gradient(Mismatches& wrong, GemmContext& ctx, const ProductCase& c, const std::vector<float>& sums,
                           const std::vector<float>& added) {
  const WeightLayout& l = c.layout;
  const std::string what = describe(ctx.kernels, c) + " weight gradient";
  AlignedBuffer<float> grad(l.size());
  for (std::size_t o = 0; o < pad_rows(l.out); ++o) {
    for (std::size_t i = 0; i < pad_columns(l.in); ++i) grad[l.offset(o, i)] = kNan;
  }
  for (bool accumulate : {false, true}) {
    std::vector<double> squares(l.strips() * l.blocks(), -1);
    weight_gradient_product(ctx, c.rows, l, c.d_y.panels_operand(), c.x.panels_operand(), grad.data(), accumulate,
                            squares.data());
    const std::vector<float>& expected = accumulate ? added : sums;
    double total = 0, total_squares = 0;
    for (std::size_t o = 0; o < pad_columns(l.out); ++o) {
      for (std::size_t i = 0; i < pad_columns(l.in); ++i) {
        const float want = o < l.out && i < l.in ? expected[o * l.in + i] : 0.0f;
        const float got = grad[l.offset(o, i)];
        if (!same_bits(got, want) && !(got == 0 && want == 0)) {
          wrong.add(what, accumulate ? " added" : "", " at ", o, ",", i, ": ", got, " not ", want);
        }
        total += static_cast<double>(want) * static_cast<double>(want);
      }
    }
    for (std::size_t s = 0; s < l.strips(); ++s) {
      for (std::size_t b = 0; b < l.blocks(); ++b) {
        const double square = squares[s * l.blocks() + b];
        const double want = ctx.kernels.sum_squares(kLanes * l.block_columns(b), grad.data() + l.block_offset(s, b));
        if (square != want) wrong.add(what, " squares of strip ", s, " block ", b, ": ", square, " not ", want);
        total_squares += square;
      }
    }
    if (!(std::fabs(total - total_squares) <= 1e-5 * total))
      wrong.add(what, " squares: ", total_squares, " not ", total);
  }
  for (std::size_t o = 0; o < l.out; ++o) {
    for (std::size_t i = 0; i < l.in; ++i) {
      const Bounded b = wide_product(
          c.rows, 0, [&](std::size_t r) { return c.d_y.at(r, o); }, [&](std::size_t r) { return c.x.at(r, i); },
          ctx.family(c.dtype).native);
      const float got = sums[o * l.in + i];
      if (!(std::fabs(got - b.value) <= b.slack))
        wrong.add(what, " reference at ", o, ",", i, ": ", got, " far from ", b.value);
    }
  }
}

// What the three products must sum to, in the arithmetic of all ISAs or in that of the architecture's native one.
struct Sums {
  std::vector<float> y, d_x, grad, added;
};

Sums sums_of(const ProductCase& c, bool native) {
  const std::size_t in = c.layout.in, out = c.layout.out;
  auto sum = [&](std::size_t k, float start, auto lhs, auto rhs) {
    if (!native) return chain(c.dtype, k, start, lhs, rhs);
#if defined(__x86_64__)
    return separate_chain(c.dtype, k, start, lhs, rhs);
#else
    return matrix_chain(k, start, lhs, rhs);
#endif
  };
  Sums sums;
  const FpEnvGuard guard;
  for (std::size_t i = 0; i < c.rows * out; ++i) {
    sums.y.push_back(sum(
        in, 0.0f, [&](std::size_t k) { return c.x.at(i / out, k); },
        [&](std::size_t k) { return c.weight[i % out * in + k]; }));
  }
  for (std::size_t i = 0; i < c.rows * in; ++i) {
    sums.d_x.push_back(sum(
        out, 0.0f, [&](std::size_t k) { return c.d_y.at(i / in, k); },
        [&](std::size_t k) { return c.weight[k * in + i % in]; }));
  }
  for (std::size_t i = 0; i < out * in; ++i) {
    auto lhs = [&](std::size_t r) { return c.d_y.at(r, i / in); };
    auto rhs = [&](std::size_t r) { return c.x.at(r, i % in); };
    sums.grad.push_back(sum(c.rows, 0.0f, lhs, rhs));
    sums.added.push_back(sum(c.rows, sums.grad.back(), lhs, rhs));
  }
  return sums;
}

// All three products of one case on every ISA.
void check_case(const ProductCase& c, Activation activation, const Skips& skips = {}) {
  const Sums portable = sums_of(c, false);
  std::optional<Sums> native;
  const FpEnvGuard guard;
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    GemmContext ctx(kernels, *executor);
    if (ctx.family(c.dtype).native && !native) native = sums_of(c, true);
    const Sums& sums = ctx.family(c.dtype).native ? *native : portable;
    // Whatever suits this CPU: the other ways must work too.
    for (int way = 0; way < 4; ++way) {
      const bool dot_bf16 = way < 2, widen_once = way % 2 == 1;
      if (!dot_bf16 && kernels.gemm[index_of(c.dtype)].by_fma == nullptr) continue;
      ctx.dot_bf16 = dot_bf16;
      ctx.widen_once = widen_once;
      if (widen_once && ctx.family(c.dtype).on_widened == nullptr) continue;
      Mismatches wrong;
      check_forward(wrong, ctx, c, activation, skips.input, sums.y);
      check_input_gradient(wrong, ctx, c, activation, skips, sums.d_x);
      check_weight_gradient(wrong, ctx, c, sums.grad, sums.added);
      CHECK_MESSAGE(wrong.none(), (dot_bf16 ? "" : "by fma: "), (widen_once ? "converted once: " : ""), wrong.text());
    }
  });
}

TEST_CASE("gemm: every shape, bit for bit and within the bound") {
  std::size_t count = 0;
  for (const Shape& s : kShapes) {
    ++count;
    for (Dtype dtype : kEachDtype) {
      check_case(ProductCase(dtype, s.batch, s.in, s.out, usual), kEachActivation[count % std::size(kEachActivation)]);
    }
  }
}

// Calls f(case, activation, count) for every type beside every other: what an epilogue reads of one layer and writes
// for the other. `shapes` of kShapes in turns.
template <class F>
void for_each_neighbour(std::size_t shapes, F f) {
  std::size_t count = 0;
  for (Dtype dtype : kEachDtype) {
    for (Dtype neighbour : kEachDtype) {
      for (Activation activation : kEachActivation) {
        const Shape& s = kShapes[++count % shapes];
        ProductCase c(dtype, s.batch, s.in, s.out, usual);
        c.neighbour = neighbour;
        f(c, activation, count);
      }
    }
  }
}

TEST_CASE("gemm: neighbours of another storage type") {
  for_each_neighbour(12, [](const ProductCase& c, Activation a, std::size_t) { check_case(c, a); });
}

TEST_CASE("gemm: the gradient by what dropout has multiplied, beside every storage type") {
  for_each_neighbour(10, [](const ProductCase& c, Activation a, std::size_t) { check_case(c, a, {.factor = 1.25f}); });
}

TEST_CASE("gemm: what skips a layer, both ways, beside every storage type") {
  for_each_neighbour(14, [](const ProductCase& c, Activation a, std::size_t count) {
    check_case(c, a, {true, count % 3 != 1, count % 3 != 0, count % 2 == 0 ? 1.0f : 1.25f});
  });
}

TEST_CASE("gemm: small integers are exact") {
  auto integers = [](std::uint64_t stream, std::size_t i) {
    return static_cast<float>(static_cast<int>(Rng(4, stream).below(i, 7)) - 3);
  };
  const ProductCase c(Dtype::bf16, 49, 130, 33, integers);
  for (std::size_t i = 0; i < 49 * 33; ++i) {
    const std::size_t r = i / 33, o = i % 33;
    auto lhs = [&](std::size_t k) { return c.x.at(r, k); };
    auto rhs = [&](std::size_t k) { return c.weight[o * 130 + k]; };
    REQUIRE(chain(Dtype::bf16, 130, 0.0f, lhs, rhs) == wide_product(130, 0, lhs, rhs).value);
    REQUIRE(matrix_chain(130, 0.0f, lhs, rhs) == wide_product(130, 0, lhs, rhs).value);
  }
  for (Dtype dtype : kEachDtype) check_case(ProductCase(dtype, 49, 130, 33, integers), Activation::identity);
}

TEST_CASE("gemm: native sums round to odd, as the tests model them") {
  const float ones[4] = {1, 0x1p-25f, 1, 0x1p-24f}, units[4] = {1, 1, 0, 1};
  auto sum = [&](std::size_t k) {
    return matrix_chain(
        k, 0.0f, [&](std::size_t i) { return ones[i]; }, [&](std::size_t i) { return units[i]; });
  };
  CHECK(sum(1) == 1);
  CHECK(sum(2) == 1 + 0x1p-23f);  // where rounding to nearest gives 1
  CHECK(sum(4) == 1 + 0x1p-23f);
  CHECK(sum_to_odd(0x1p-127, 0) == 0);
  CHECK(sum_to_odd(-0x1.fffffffp127, 0) == -0x1.fffffep127f);
  CHECK(sum_to_odd(0x1p128, 1) == kInf);
}

// Sums of two products that miss the middle between two fp32 numbers by less than fp64 can tell: rounded there first,
// without care, they go to the wrong side.
TEST_CASE("gemm: sums next to a tie round once") {
  auto values = [](std::uint64_t stream, std::size_t i) {
    const std::uint64_t draw = Rng(8, stream).below(i, 4);
    const bool one = draw % 2 == 0;
    const float sign = draw < 2 ? 1.0f : -1.0f;
    if (i % 2 == 0) return stream == 1 && one ? sign * (1 + 0x1p-23f) : sign;
    if (stream == 5) return sign * 0x1p-24f * (one ? 1 - 0x1p-20f : 1 - 0x1p-12f + 0x1p-24f);
    return one ? 1 + 0x1p-20f : 1 + 0x1p-12f;
  };
  const auto product = static_cast<double>(1 + 0x1p-20f) * static_cast<double>(0x1p-24f * (1 - 0x1p-20f));
  REQUIRE(static_cast<float>(1 + 0x1p-23 + product) != std::fma(1 + 0x1p-20f, 0x1p-24f * (1 - 0x1p-20f), 1 + 0x1p-23f));
  check_case(ProductCase(Dtype::fp32, 33, 2, 33, values), Activation::identity);
}

// Products around the least normal, where an ISA that keeps subnormals, or flushes elsewhere, would give itself away.
TEST_CASE("gemm: subnormal products are flushed alike") {
  for (Dtype dtype : kEachDtype) {
    const float size = dtype == Dtype::fp16 ? 0x1p-20f : 0x1p-63f;
    auto tiny = [size](std::uint64_t stream, std::size_t i) {
      const auto shift = static_cast<int>(Rng(6, stream).below(i, 12));
      return std::ldexp(usual(stream, i) * size, shift - 6);
    };
    check_case(ProductCase(dtype, 7, 65, 33, tiny), Activation::identity);
  }
}

}  // namespace
