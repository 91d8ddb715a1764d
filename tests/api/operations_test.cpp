// The single operations: against plain loops, bit for bit where the kernels promise it, on matrices that lie anyhow.
#include "halfstep/operations.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"
#include "support/products.hpp"
#include "support/reference.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// A matrix with a frame of canaries, which begins `offset` elements into its memory.
struct Stored {
  Dtype dtype;
  std::size_t rows, columns, stride, offset;
  AlignedBuffer<std::byte> memory;

  Stored(Dtype type, std::size_t r, std::size_t c, std::size_t more = 0, std::size_t begin = 0)
      : dtype(type), rows(r), columns(c), stride(c + more), offset(begin), memory((r * (c + more) + begin + 32) * 4) {
    std::memset(memory.data(), kCanary, memory.size());
  }
  void fill(std::uint64_t stream, float size = 1) {
    const AlignedBuffer<float> values = random_floats(rows * columns, stream, size);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) set(r, c, values[r * columns + c]);
    }
  }
  void set(std::size_t r, std::size_t c, float value) { put(dtype, memory.data(), offset + r * stride + c, value); }
  float at(std::size_t r, std::size_t c) const { return get(dtype, memory.data(), offset + r * stride + c); }
  std::uint32_t raw_at(std::size_t r, std::size_t c) const {
    return raw(dtype, memory.data(), offset + r * stride + c);
  }
  std::byte* data() { return memory.data() + offset * size_of(dtype); }
  Matrix view() const { return {memory.data() + offset * size_of(dtype), rows, columns, dtype, stride}; }
  MutableMatrix target() { return {data(), rows, columns, dtype, stride}; }
  bool frame_is_whole() const {
    const std::size_t element = size_of(dtype);
    for (std::size_t i = 0; i < memory.size() / element; ++i) {
      const bool inside = i >= offset && (i - offset) / stride < rows && (i - offset) % stride < columns;
      for (std::size_t b = 0; !inside && b < element; ++b) {
        if (memory[i * element + b] != std::byte{kCanary}) return false;
      }
    }
    return true;
  }
};

Stored filled(Stored matrix, std::uint64_t stream, float size = 1) {
  matrix.fill(stream, size);
  return matrix;
}

// An element as the other type holds it.
float as(Dtype dtype, float value) {
  const std::uint32_t stored = rounded(dtype, value);
  return get(dtype, &stored, 0);
}

void check_product(Mismatches& wrong, Dtype dtype, const std::function<float(std::size_t, std::size_t)>& a,
                   const std::function<float(std::size_t, std::size_t)>& b, std::size_t k, const Epilogue& e,
                   const std::function<float(std::size_t, std::size_t)>& add, const Stored& y) {
  for (std::size_t r = 0; r < y.rows; ++r) {
    for (std::size_t c = 0; c < y.columns; ++c) {
      float sum = chain(
          dtype, k, 0.0f, [&](std::size_t i) { return as(dtype, a(r, i)); },
          [&](std::size_t i) { return as(dtype, b(i, c)); });
      sum += e.bias ? e.bias[c] : 0.0f;
      if (e.activation == Activation::relu) sum = sum > 0 || std::isnan(sum) ? sum : 0.0f;
      if (add) sum += add(r, c);
      const std::uint32_t want = rounded(y.dtype, sum);
      if (!same_stored(y.dtype, y.raw_at(r, c), want))
        wrong.add(y.rows, "x", y.columns, "x", k, " ", name(dtype), " (", r, ",", c, "): ", y.at(r, c), " not ", sum);
    }
  }
  if (!y.frame_is_whole()) wrong.add(y.rows, "x", y.columns, "x", k, ": written beside the matrix");
}

constexpr std::size_t kShapes[][3] = {{1, 1, 1},    {2, 16, 16},  {3, 32, 48}, {3, 5, 7},
                                      {18, 64, 32}, {17, 65, 33}, {6, 16, 80}};

}  // namespace

TEST_CASE("operations: a product with packed weights has the bits of plain loops, wherever its matrices lie") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    if (kernels.gemm[index_of(Dtype::bf16)].native) return;  // its bits are its own
    Mismatches wrong;
    for (const int threads : {1, 3}) {
      Operations ops({.threads = threads, .isa = kernels.name});

      for (const Dtype dtype : kEachDtype) {
        for (const auto& [m, n, k] : kShapes) {
          for (const std::size_t apart : {0, 1, 16}) {
            const Stored w = filled({dtype, n, k, apart, apart % 3}, 1);
            const Stored x = filled({dtype, m, k, apart, apart}, 2);
            const PackedMatrix packed = ops.pack(dtype, w.view());
            const AlignedBuffer<float> bias = random_floats(n, 3);
            for (const Dtype y_type : {dtype, Dtype::fp32}) {
              Stored y(y_type, m, n, apart, apart);
              const Epilogue e{.bias = bias.data(), .activation = Activation::relu};
              ops.multiply(x.view(), packed, y.target(), e);
              const auto a = [&](std::size_t r, std::size_t i) { return x.at(r, i); };
              const auto b = [&](std::size_t i, std::size_t c) { return w.at(c, i); };
              check_product(wrong, dtype, a, b, k, e, nullptr, y);
              // Once more, added to what is there.
              Stored before(y_type, m, n, apart, apart);
              std::memcpy(before.memory.data(), y.memory.data(), y.memory.size());
              const Epilogue more{.activation = Activation::relu, .add = y.view()};
              ops.multiply(x.view(), packed, y.target(), more);
              check_product(
                  wrong, dtype, a, b, k, more, [&](std::size_t r, std::size_t c) { return before.at(r, c); }, y);
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("operations: gemm takes each operand as it is or transposed, of any type") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    if (kernels.gemm[index_of(Dtype::bf16)].native) return;  // its bits are its own
    Mismatches wrong;
    Operations ops({.threads = 2, .isa = kernels.name});

    for (const Dtype dtype : kEachDtype) {
      for (const Dtype stored : kEachDtype) {
        for (const auto& [m, n, k] : kShapes) {
          for (const bool ta : {false, true}) {
            for (const bool tb : {false, true}) {
              const Stored a = filled({stored, ta ? k : m, ta ? m : k, 3, 1}, 4);
              const Stored b = filled({stored, tb ? n : k, tb ? k : n, 1, 5}, 5);
              Stored c(dtype, m, n, 2, 3);
              ops.gemm(dtype, a.view(), ta ? Transpose::yes : Transpose::no, b.view(),
                       tb ? Transpose::yes : Transpose::no, c.target());
              check_product(
                  wrong, dtype, [&](std::size_t r, std::size_t i) { return ta ? a.at(i, r) : a.at(r, i); },
                  [&](std::size_t i, std::size_t o) { return tb ? b.at(o, i) : b.at(i, o); }, k, {}, nullptr, c);
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("operations: inf, NaN and what overflows show in the row and column that they are in, and nowhere else") {
  Operations ops;
  for (const Dtype dtype : kEachDtype) {
    Stored a = filled({dtype, 6, 32}, 6), b = filled({dtype, 20, 32}, 7);
    a.set(3, 5, kNan);
    b.set(7, 9, kInf);
    Stored c(Dtype::fp32, 6, 20);
    ops.gemm(dtype, a.view(), Transpose::no, b.view(), Transpose::yes, c.target());
    Mismatches wrong;
    for (std::size_t r = 0; r < 6; ++r) {
      for (std::size_t o = 0; o < 20; ++o) {
        const float got = c.at(r, o);
        const bool right = r == 3 ? std::isnan(got) : o == 7 ? std::isinf(got) : std::isfinite(got);
        if (!right) wrong.add(name(dtype), " (", r, ",", o, "): ", got);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  }
}

TEST_CASE("operations: conversions, activations and derivatives of rows are those of the plain loops") {
  Operations ops({.threads = 2});
  for (const Dtype dtype : kEachDtype) {
    const Stored x = filled({Dtype::fp32, 9, 131, 5, 3}, 8, 6);
    Stored stored(dtype, 9, 131, 1, 1), y(dtype, 9, 131, 2, 1), d(dtype, 9, 131, 3, 2), up(dtype, 9, 131);
    ops.convert(x.view(), stored.target());
    Mismatches wrong;
    for (std::size_t r = 0; r < 9; ++r) {
      for (std::size_t c = 0; c < 131; ++c) {
        if (stored.raw_at(r, c) != rounded(dtype, x.at(r, c))) wrong.add("convert (", r, ",", c, ")");
      }
    }
    const double ulp = dtype == Dtype::fp32 ? 0x1p-21 : dtype == Dtype::bf16 ? 0x1p-8 : 0x1p-10;
    for (const Activation activation : kEachActivation) {
      ops.activate(activation, stored.view(), y.target());
      const bool of_input = Operations::derivative_needs_input(activation);
      up.fill(9);
      ops.differentiate(activation, of_input ? stored.view() : y.view(), up.view(), d.target());
      for (std::size_t r = 0; r < 9; ++r) {
        for (std::size_t c = 0; c < 131; ++c) {
          const double in = static_cast<double>(stored.at(r, c)), want = reference_activation(activation, in);
          const double least = dtype == Dtype::fp16 ? 0x1p-24 : 0x1p-126;
          if (!(std::fabs(static_cast<double>(y.at(r, c)) - want) <= ulp * std::fabs(want) + least)) {
            wrong.add(label(activation), " ", name(dtype), " of ", in, ": ", y.at(r, c), " not ", want);
          }
          const double saved = of_input ? in : static_cast<double>(y.at(r, c));
          const double slope = reference_slope(activation, saved), size = std::fabs(static_cast<double>(up.at(r, c)));
          // The derivative of a gate crosses zero as a difference of terms of about 1.
          const double slack = ulp * size * std::max(std::fabs(slope), of_input ? 1.0 : 0.0) + least;
          if (!(std::fabs(static_cast<double>(d.at(r, c)) - slope * static_cast<double>(up.at(r, c))) <= slack)) {
            wrong.add("derivative of ", label(activation), " ", name(dtype), " at ", saved, ": ", d.at(r, c));
          }
        }
      }
      Stored in_place(dtype, 9, 131, 1, 1);
      std::memcpy(in_place.memory.data(), stored.memory.data(), stored.memory.size());
      ops.activate(activation, in_place.view(), in_place.target());
      ops.differentiate(activation, of_input ? stored.view() : y.view(), up.view(), up.target());
      for (std::size_t r = 0; r < 9; ++r) {
        for (std::size_t c = 0; c < 131; ++c) {
          if (in_place.raw_at(r, c) != y.raw_at(r, c)) wrong.add(label(activation), " in place");
          if (up.raw_at(r, c) != d.raw_at(r, c)) wrong.add("derivative of ", label(activation), " in place");
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
    CHECK((stored.frame_is_whole() && y.frame_is_whole() && d.frame_is_whole()));
  }
}

TEST_CASE("operations: rows are normalised, and a row with an infinity is lost alone") {
  Operations ops({.threads = 3});
  for (const std::size_t columns : {1, 15, 16, 33, 200}) {
    for (const Norm norm : {Norm::layer, Norm::rms}) {
      for (const Dtype dtype : kEachDtype) {
        Stored x = filled({dtype, 7, columns, 3, 1}, 10, 5);
        x.set(4, 0, kInf);
        Stored y(Dtype::fp32, 7, columns, 1, 1);
        const AlignedBuffer<float> gain = random_floats(columns, 11), bias = random_floats(columns, 12);
        ops.normalise(norm, x.view(), gain.data(), norm == Norm::layer ? bias.data() : nullptr, 1e-5f, y.target());
        Mismatches wrong;
        for (std::size_t r = 0; r < 7; ++r) {
          std::vector<double> row(columns);
          for (std::size_t c = 0; c < columns; ++c) row[c] = static_cast<double>(x.at(r, c));
          double mean = 0, variance = 0;
          for (const double v : row) mean += norm == Norm::layer ? v / static_cast<double>(columns) : 0;
          for (const double v : row) variance += (v - mean) * (v - mean) / static_cast<double>(columns);
          for (std::size_t c = 0; c < columns; ++c) {
            const double want = (row[c] - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(gain[c]) +
                                (norm == Norm::layer ? static_cast<double>(bias[c]) : 0);
            const double got = static_cast<double>(y.at(r, c));
            if (r == 4 ? !std::isnan(got) : !(std::fabs(got - want) <= 1e-5)) {
              wrong.add(name(norm), " ", columns, " (", r, ",", c, "): ", got, " not ", want);
            }
          }
        }
        CHECK_MESSAGE(wrong.none(), wrong.text());
        CHECK(y.frame_is_whole());
      }
    }
  }
}

TEST_CASE("operations: softmax and its cross-entropy") {
  Operations ops({.threads = 3});
  for (const std::size_t columns : {1, 2, 10, 16, 17, 100}) {
    const Stored x = filled({Dtype::fp32, 11, columns, 3, 1}, 13, 20);
    Stored p(Dtype::fp32, 11, columns, 1, 2), d(Dtype::fp32, 11, columns, 2, 1);
    std::vector<std::int32_t> labels;
    for (std::size_t r = 0; r < 11; ++r) labels.push_back(static_cast<std::int32_t>(r * 7 % columns));
    ops.softmax(x.view(), p.target());
    const double got = ops.cross_entropy(x.view(), labels, 8, d.target());
    double loss = 0;
    Mismatches wrong;
    for (std::size_t r = 0; r < 11; ++r) {
      double largest = -HUGE_VAL, sum = 0;
      for (std::size_t c = 0; c < columns; ++c) largest = std::max(largest, static_cast<double>(x.at(r, c)));
      for (std::size_t c = 0; c < columns; ++c) sum += std::exp(static_cast<double>(x.at(r, c)) - largest);
      const auto label = static_cast<std::size_t>(labels[r]);
      loss += std::log(sum) + largest - static_cast<double>(x.at(r, label));
      for (std::size_t c = 0; c < columns; ++c) {
        const double want = std::exp(static_cast<double>(x.at(r, c)) - largest) / sum;
        if (!(std::fabs(static_cast<double>(p.at(r, c)) - want) < 1e-6)) wrong.add("softmax ", p.at(r, c), " ", want);
        const double slope = 8 * (want - (c == label ? 1 : 0));
        if (!(std::fabs(static_cast<double>(d.at(r, c)) - slope) < 1e-5))
          wrong.add("gradient ", d.at(r, c), " ", slope);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
    CHECK(got == doctest::Approx(loss).epsilon(1e-6));
    CHECK(ops.cross_entropy(x.view(), labels, 8, {}) == got);
    CHECK((p.frame_is_whole() && d.frame_is_whole()));
  }
}

TEST_CASE("operations: what does not fit is refused before anything is written") {
  Operations ops;
  Stored x = filled({Dtype::fp32, 4, 8}, 14), y(Dtype::fp32, 4, 6);
  const PackedMatrix w = ops.pack(Dtype::bf16, filled({Dtype::fp32, 6, 8}, 15).view());
  auto refused = [&](const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.status() == Status::invalid_argument && y.frame_is_whole() &&
             y.raw_at(0, 0) == (kCanary * 0x01010101u);
    }
    return false;
  };
  const Matrix a = x.view();
  const MutableMatrix c = y.target();
  auto with = [](auto m, auto change) {
    change(m);
    return m;
  };
  CHECK(refused([&] { ops.multiply(with(a, [](Matrix& m) { m.data = nullptr; }), w, c); }));
  CHECK(refused([&] { ops.multiply(with(a, [](Matrix& m) { m.stride = 7; }), w, c); }));
  CHECK(refused([&] { ops.multiply(with(a, [](Matrix& m) { m.columns = 7; }), w, c); }));
  CHECK(refused([&] { ops.multiply(with(a, [](Matrix& m) { m.rows = std::size_t{1} << 62; }), w, c); }));
  CHECK(refused(
      [&] { ops.multiply(with(a, [](Matrix& m) { m.data = static_cast<const std::byte*>(m.data) + 1; }), w, c); }));
  CHECK(refused([&] { ops.multiply(a, w, with(c, [](MutableMatrix& m) { m.rows = 3; })); }));
  CHECK(refused([&] { ops.multiply(a, w, with(c, [](MutableMatrix& m) { m.columns = 5; })); }));
  CHECK(refused([&] { ops.multiply(a, w, c, {.activation = static_cast<Activation>(99)}); }));
  CHECK(refused([&] { ops.multiply(a, w, c, {.add = a}); }));
  CHECK(refused([&] { ops.pack(static_cast<Dtype>(3), a); }));
  CHECK(refused([&] { ops.pack(Dtype::bf16, with(a, [](Matrix& m) { m.rows = 0; })); }));
  CHECK(refused([&] { ops.gemm(Dtype::bf16, a, Transpose::no, a, Transpose::no, c); }));
  CHECK(refused([&] { ops.softmax(a, c); }));
  CHECK(refused([&] { ops.normalise(Norm::batch, c.data ? y.view() : a, nullptr, nullptr, 0, c); }));
  CHECK(refused([&] { ops.normalise(Norm::layer, y.view(), nullptr, nullptr, -1, c); }));
  CHECK(refused([&] { ops.cross_entropy(a, std::vector<std::int32_t>{0, 1, 2}, 1, {}); }));
  CHECK(refused([&] { ops.cross_entropy(a, std::vector<std::int32_t>{0, 1, 8, 2}, 1, {}); }));
  CHECK(refused([&] { ops.cross_entropy(a, std::vector<std::int32_t>{0, 1, -1, 2}, 1, {}); }));
  ops.multiply(with(a, [](Matrix& m) { m.rows = 0; }), w, with(c, [](MutableMatrix& m) { m.rows = 0; }));
  CHECK(y.raw_at(0, 0) == (kCanary * 0x01010101u));
}
