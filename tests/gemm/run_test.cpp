// Products as objects: run alone, together and again; and what a table has threads call around their tasks.
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

#include "support/isa_loop.hpp"
#include "support/products.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

float usual(std::uint64_t stream, std::size_t index) { return 2.0f * Rng(9, stream).uniform(index) - 1.0f; }

// Operands and results of the three products of a layer.
struct Layer {
  ProductCase c;
  StoredMatrix y, d;
  AlignedBuffer<float> sums, grad;
  std::vector<double> squares;

  Layer(Dtype dtype, std::size_t rows, std::size_t in, std::size_t out)
      : c(dtype, rows, in, out, usual),
        y(dtype, c.rows, out),
        d(dtype, c.rows, in),
        sums(sum_chunks(c.rows) * pad_columns(in)),
        grad(c.layout.size()),
        squares(c.layout.strips() * c.layout.blocks()) {}

  ForwardProduct forward(GemmContext& ctx, const SideTasks& side = {}) {
    ForwardEpilogue e = {};
    e.bias = c.bias.data();
    e.y = y.target();
    return {ctx, c.rows, c.layout, c.x.rows_operand(), c.forward.data(), e, side};
  }
  InputGradientProduct input_gradient(GemmContext& ctx) {
    BackwardEpilogue e = {};
    e.saved = c.saved.in_rows.data();
    e.saved_ld = c.saved.ld;
    e.saved_dtype = c.saved.dtype;
    e.sums = sums.data();
    e.d = d.target();
    return {ctx, c.rows, c.layout, c.d_y.rows_operand(), c.backward.data(), e};
  }
  WeightGradientProduct weight_gradient(GemmContext& ctx) {
    return {ctx, c.rows, c.layout, c.d_y.panels_operand(), c.x.panels_operand(), {grad.data(), false, squares.data()}};
  }
  // Of all results so far, which are gone then.
  std::vector<std::byte> take_results() {
    std::vector<std::byte> all;
    const auto take = [&](auto& buffer) {
      auto* const bytes = reinterpret_cast<std::byte*>(buffer.data());
      all.insert(all.end(), bytes, bytes + buffer.size() * sizeof(*buffer.data()));
      std::memset(bytes, 0x55, buffer.size() * sizeof(*buffer.data()));
    };
    take(y.in_rows), take(y.in_panels), take(d.in_rows), take(d.in_panels), take(sums), take(grad), take(squares);
    return all;
  }
};

constexpr std::size_t kRows = 434, kIn = 300;

TEST_CASE("products: two run together are what each is alone, and a product can run again") {
  const auto executor = make_executor(3, "threads");
  const KernelTable& kernels = select_isa();
  for (Dtype dtype : kEachDtype) {
    for (const std::size_t out : {150u, 10u}) {
      GemmContext ctx(kernels, *executor);
      Layer layer(dtype, kRows, kIn, out);
      layer.take_results();
      ForwardProduct forward = layer.forward(ctx);
      InputGradientProduct input = layer.input_gradient(ctx);
      WeightGradientProduct weight = layer.weight_gradient(ctx);
      for (MatrixProduct* product : std::initializer_list<MatrixProduct*>{&forward, &input, &weight})
        run(ctx, *product);
      const std::vector<std::byte> alone = layer.take_results();
      run(ctx, forward);
      run_together(ctx, input, weight);
      CHECK(layer.take_results() == alone);
      run_together(ctx, weight, forward);  // strips and rows share the scratch memory of a worker
      run(ctx, input);
      CHECK(layer.take_results() == alone);
    }
  }
}

TEST_CASE("products: the second run sees new values of the left operand") {
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      GemmContext ctx(kernels, *executor);
      Layer layer(dtype, 50, kIn, 300);  // several blocks of columns: converted rows are kept
      ForwardProduct forward = layer.forward(ctx);
      run(ctx, forward);
      const float before = layer.y.at(3, 7);
      for (std::size_t i = 0; i < kIn; ++i) layer.c.x.set(3, i, 0);
      run(ctx, forward);
      CHECK(layer.y.at(3, 7) != before);
    }
  });
}

// A table whose tiles count the threads that have not entered.
struct Counting {
  static inline std::atomic<int> entered = 0, left = 0, tiles = 0, outside = 0;
  static inline thread_local int inside = 0;

  static void enter() { ++entered, ++inside; }
  static void leave() { ++left, --inside; }
  static void tile(const TileOperands&) {
    ++tiles;
    if (inside != 1) ++outside;
  }
  static void reset() { entered = left = tiles = outside = 0; }
  static KernelTable table() {
    KernelTable table = select_isa();
    table.enter = enter;
    table.leave = leave;
    for (GemmFamily& family : table.gemm) {
      family.on_widened = family.by_fma = nullptr;
      for (auto* functions : {family.rows_tile, family.panel_tile}) {
        for (std::size_t h = 0; h < kMostHeights; ++h) std::fill_n(functions[h], kMostPanels, tile);
      }
    }
    return table;
  }
};

TEST_CASE("products: each worker that runs tasks has entered, once a run, and left") {
  const KernelTable table = Counting::table();
  for (const int threads : {1, 2, 5}) {
    const auto executor = make_executor(threads);
    GemmContext ctx(table, *executor);
    Layer layer(Dtype::bf16, kRows, kIn, 150);
    ForwardProduct forward = layer.forward(ctx);
    InputGradientProduct input = layer.input_gradient(ctx);
    WeightGradientProduct weight = layer.weight_gradient(ctx);
    const auto check = [&](auto runs) {
      Counting::reset();
      runs();
      INFO("threads " << threads);
      CHECK(Counting::tiles > 0);
      CHECK(Counting::outside == 0);
      CHECK(Counting::entered >= 1);
      CHECK(Counting::entered <= threads);
      CHECK(Counting::entered == Counting::left);
      CHECK(Counting::inside == 0);
    };
    for (MatrixProduct* product : std::initializer_list<MatrixProduct*>{&forward, &input, &weight}) {
      check([&] { run(ctx, *product); });
    }
    check([&] { run_together(ctx, input, weight); });
  }
}

TEST_CASE("products: workers leave where a task throws") {
  const KernelTable table = Counting::table();
  for (const int threads : {1, 2, 5}) {
    const auto executor = make_executor(threads);
    GemmContext ctx(table, *executor);
    Layer layer(Dtype::bf16, 1100, kIn, 600);  // enough tasks for side tasks to run between their tiles
    const auto bad = [](std::size_t task) {
      if (task == 20) throw std::runtime_error("bad");
    };
    const auto reads = [](std::size_t, MemoryRanges& ranges) { ranges = {}; };
    ForwardProduct forward = layer.forward(ctx, {40, bad, reads});
    Counting::reset();
    CHECK_THROWS_AS(run(ctx, forward), std::runtime_error);
    CHECK(Counting::tiles > 0);
    CHECK(Counting::entered >= 1);
    CHECK(Counting::entered == Counting::left);
    CHECK(Counting::inside == 0);
  }
}

}  // namespace
