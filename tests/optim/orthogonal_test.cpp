// The orthogonal factor against plain loops in double, its singular values, and its bits.
#include "optim/orthogonal.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace orthogonal_test {
namespace {

// Row-major, in double.
struct Matrix {
  std::size_t rows, columns;
  std::vector<double> values = std::vector<double>(rows * columns);
  double& at(std::size_t r, std::size_t c) { return values[r * columns + c]; }
  double at(std::size_t r, std::size_t c) const { return values[r * columns + c]; }
};

Matrix transposed(const Matrix& a) {
  Matrix t{a.columns, a.rows};
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t c = 0; c < a.columns; ++c) t.at(c, r) = a.at(r, c);
  }
  return t;
}

Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c{a.rows, b.columns};
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      for (std::size_t j = 0; j < b.columns; ++j) c.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return c;
}

double norm(const Matrix& a) {
  double sum = 0;
  for (const double v : a.values) sum += v * v;
  return std::sqrt(sum);
}

// Numbers by chance and a diagonal that bounds the smallest singular value from below, so that it has one.
Matrix example(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  const Rng rng(seed, 7);
  Matrix m{rows, columns};
  const double diagonal = 3 * std::sqrt(static_cast<double>(std::min(rows, columns)));
  for (std::size_t i = 0; i < m.values.size(); ++i) m.values[i] = static_cast<double>(rng.normal(i));
  for (std::size_t i = 0; i < std::min(rows, columns); ++i) m.at(i, i) += diagonal;
  return m;
}

Matrix factor_of(const KernelTable& kernels, int threads, const Matrix& m, double scale = 1,
                 Orthogonal* orthogonal = nullptr) {
  const FpEnvGuard guard;
  const WeightLayout layout = {m.rows, m.columns};
  const auto executor = make_executor(threads);
  GemmContext context(kernels, *executor);
  Orthogonal own(std::span(&layout, 1));
  Matrix factor{m.rows, m.columns};
  const auto each = [&](std::size_t strip, std::size_t block, auto f) {
    for (std::size_t r = 0; r < kLanes && strip * kLanes + r < m.rows; ++r) {
      for (std::size_t c = 0; c < layout.block_columns(block) && block * kBlockColumns + c < m.columns; ++c) {
        f(r * layout.block_columns(block) + c, strip * kLanes + r, block * kBlockColumns + c);
      }
    }
  };
  const auto fill = [&](std::size_t strip, std::size_t block, float* values) {
    std::fill_n(values, layout.block_size(strip, block), 0.0f);
    each(strip, block, [&](std::size_t at, std::size_t r, std::size_t c) {
      values[at] = static_cast<float>(m.at(r, c)) * static_cast<float>(scale);
    });
  };
  const auto see = [&](const StripPart& part) {
    each(part.strip, part.column / kBlockColumns,
         [&](std::size_t at, std::size_t r, std::size_t c) { factor.at(r, c) = static_cast<double>(part.sums[at]); });
  };
  (orthogonal ? *orthogonal : own).run(context, layout, fill, see);
  return factor;
}

enum class Rounds : bool { nothing, storage };

Matrix stored(Matrix m, Rounds rounds) {
  for (double& v : m.values) {
    if (rounds == Rounds::storage) v = static_cast<double>(to_fp32(to_bf16(static_cast<float>(v))));
  }
  return m;
}

// a + factor b, and `one` on the diagonal.
Matrix sum(Matrix a, double factor, const Matrix& b, double one) {
  for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] += factor * b.values[i];
  for (std::size_t d = 0; d < std::min(a.rows, a.columns); ++d) a.at(d, d) += one;
  return a;
}

Matrix scaled(Matrix a, double factor) {
  for (double& v : a.values) v *= factor;
  return a;
}

// The same iterations by plain loops in double: y2 and `factor` as y = 2 X X^T / reach^2 - 1 makes them, and all that
// products read rounded to bf16, or not.
Matrix reference(const Matrix& m, Rounds rounds) {
  const double p[2][5] = {{2.024215, 2.531165, -7.533109, -7.842612, 12.514169}, {1.280789, -1.593263, 1.564711, 0, 0}};
  Matrix x = m.rows <= m.columns ? m : transposed(m);
  x = stored(scaled(x, 1 / norm(x)), rounds);
  for (int i = 0; i < 2; ++i) {
    const Matrix gram = times(x, transposed(x)), kept = stored(gram, rounds), square = times(kept, kept);
    const double reach = 1.01 * (i == 0 ? std::sqrt(std::sqrt(norm(square))) : 1.693828), a = 2 / (reach * reach);
    const Matrix y = sum(scaled(gram, a), 0, gram, -1);
    const Matrix y2 = sum(scaled(square, a * a), -2 * a, gram, 1);
    const Matrix factor = scaled(sum(scaled(y2, p[i][4]), p[i][3], y, p[i][2]), 1 / reach);
    const Matrix polynomial =
        sum(times(stored(y2, rounds), stored(factor, rounds)), p[i][1] / reach, y, p[i][0] / reach);
    x = times(stored(polynomial, rounds), x);
    if (i == 0) x = stored(x, rounds);
  }
  return m.rows <= m.columns ? x : transposed(x);
}

// Root of the mean square of what differs, by singular value.
double difference(const Matrix& a, const Matrix& b) {
  return norm(sum(a, -1, b, 0)) / std::sqrt(static_cast<double>(std::min(a.rows, a.columns)));
}

// Smallest and largest eigenvalue of a symmetric matrix, by Jacobi's rotations.
std::pair<double, double> eigenvalues(Matrix a) {
  for (int sweep = 0; sweep < 12; ++sweep) {
    for (std::size_t p = 0; p < a.rows; ++p) {
      for (std::size_t q = p + 1; q < a.rows; ++q) {
        if (a.at(p, q) == 0) continue;
        const double angle = 0.5 * std::atan2(2 * a.at(p, q), a.at(q, q) - a.at(p, p));
        const double c = std::cos(angle), s = std::sin(angle);
        for (std::size_t k = 0; k < a.rows; ++k) {
          const double up = a.at(k, p), uq = a.at(k, q);
          a.at(k, p) = c * up - s * uq;
          a.at(k, q) = s * up + c * uq;
        }
        for (std::size_t k = 0; k < a.rows; ++k) {
          const double up = a.at(p, k), uq = a.at(q, k);
          a.at(p, k) = c * up - s * uq;
          a.at(q, k) = s * up + c * uq;
        }
      }
    }
  }
  double least = a.at(0, 0), most = least;
  for (std::size_t i = 0; i < a.rows; ++i) least = std::min(least, a.at(i, i)), most = std::max(most, a.at(i, i));
  return {least, most};
}

struct Size {
  std::size_t rows, columns;
};
constexpr Size kSizes[] = {{1, 1}, {1, 7}, {9, 1}, {16, 16}, {33, 65}, {130, 64}, {80, 200}};

TEST_CASE("orthogonal: against the iterations in double") {
  for (const Size& size : kSizes) {
    const Matrix m = example(size.rows, size.columns, 3);
    const Matrix rounded = reference(m, Rounds::storage), exact = reference(m, Rounds::nothing);
    INFO(size.rows, " x ", size.columns);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      const Matrix got = factor_of(kernels, 1, m);
      CHECK(difference(got, rounded) < 0.02);
      CHECK(difference(got, exact) < 0.15);
    });
  }
}

TEST_CASE("orthogonal: a large one, on the fastest ISA") {
  const Matrix m = example(512, 512, 4), got = factor_of(select_isa(), 2, m);
  CHECK(difference(got, reference(m, Rounds::nothing)) < 0.05);
}

TEST_CASE("orthogonal: singular values are near 1, the vectors those of the matrix") {
  for (const Size& size : kSizes) {
    const Matrix m = example(size.rows, size.columns, 5), factor = factor_of(select_isa(), 1, m);
    const bool wide = size.rows <= size.columns;
    const std::pair<double, double> squares =
        eigenvalues(wide ? times(factor, transposed(factor)) : times(transposed(factor), factor));
    INFO(size.rows, " x ", size.columns);
    CHECK(squares.first > 0.7 * 0.7);
    CHECK(squares.second < 1.3 * 1.3);
    // A matrix times its orthogonal factor is symmetric.
    const Matrix product = wide ? times(factor, transposed(m)) : times(transposed(factor), m);
    CHECK(norm(sum(product, -1, transposed(product), 0)) < 0.03 * norm(product));
  }
}

TEST_CASE("orthogonal: the same bits on every ISA, at any number of threads, and in memory that held another") {
  for (const Size& size : {Size{33, 65}, Size{130, 64}, Size{7, 150}, Size{256, 200}}) {
    const Matrix m = example(size.rows, size.columns, 6);
    const std::vector<double> want = factor_of(*isas().front().table, 1, m).values;
    INFO(size.rows, " x ", size.columns);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      if (kernels.gemm[index_of(Dtype::bf16)].native) return;
      for (const int threads : {1, 2, 3, 5, 8}) CHECK(factor_of(kernels, threads, m).values == want);
    });
    const WeightLayout layouts[] = {{size.rows, size.columns}, {320, 300}};
    Orthogonal used(layouts);
    factor_of(select_isa(), 2, example(320, 300, 1), 1, &used);
    CHECK(factor_of(select_isa(), 2, m, 1, &used).values == want);
  }
}

TEST_CASE("orthogonal: the size of a matrix does not matter, and of nothing it is nothing") {
  const Matrix m = example(40, 70, 8);
  const std::vector<double> want = factor_of(select_isa(), 1, m).values;
  for (const double scale : {0x1p-80, 0x1p-30, 0x1p30, 0x1p80}) {
    CHECK(factor_of(select_isa(), 1, m, scale).values == want);
  }
  const std::vector<double> zeros(40 * 70);
  CHECK(factor_of(select_isa(), 2, m, 0).values == zeros);
  CHECK(factor_of(select_isa(), 1, m, 0x1p122).values == zeros);  // 1 / norm would be no normal number
  // One row that is not zero, as where all but one unit is silent.
  Matrix one{40, 70};
  for (std::size_t c = 0; c < 70; ++c) one.at(3, c) = m.at(3, c);
  const Matrix factor = factor_of(select_isa(), 1, one);
  CHECK(norm(factor) > 0.7);
  CHECK(norm(factor) < 1.3);
  for (std::size_t r = 0; r < 40; ++r) {
    for (std::size_t c = 0; r != 3 && c < 70; ++c) CHECK(factor.at(r, c) == 0);
  }
}

}  // namespace
}  // namespace orthogonal_test
