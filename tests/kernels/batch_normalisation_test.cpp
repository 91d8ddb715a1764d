// BatchNorm of a batch in chunks, as a caller would put it together from the kernels, against double.
#include <doctest/doctest.h>

#include <functional>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr float kEpsilon = 1e-5f;
constexpr std::size_t kChunk = 48;

struct Batch {
  std::string name;
  Dtype dtype;
  std::size_t rows, columns, ld;
  AlignedBuffer<float> x;  // memory for any storage type, padding zero
  AlignedBuffer<float> gamma, beta, d;

  Batch(std::string n, Dtype t, std::size_t r, std::size_t c, const std::function<float(std::size_t, std::size_t)>& f)
      : name(std::move(n)),
        dtype(t),
        rows(r),
        columns(c),
        ld((c + kLanes - 1) / kLanes * kLanes),
        x(r * ld),
        gamma(random_floats(ld, 80, 2)),
        beta(random_floats(ld, 81)),
        d(random_floats(r * ld, 82)) {
    for (std::size_t i = 0; i < r * c; ++i) put(t, x.data(), i / c * ld + i % c, f(i / c, i % c));
    for (std::size_t i = 0; i < r; ++i)
      for (std::size_t j = c; j < ld; ++j) d[i * ld + j] = 0;
  }
  const std::byte* row(std::size_t r) const {
    return reinterpret_cast<const std::byte*>(x.data()) + r * ld * size_of(dtype);
  }
  float at(std::size_t r, std::size_t c) const { return get(dtype, x.data(), r * ld + c); }
  std::string text() const {
    return std::string(halfstep::name(dtype)) + " " + name + " " + std::to_string(rows) + "x" + std::to_string(columns);
  }
};

std::vector<Batch> batches() {
  std::vector<Batch> out;
  for (Dtype dtype : kEachDtype) {
    for (std::size_t rows : {1, 2, 7, 48, 49, 200}) {
      for (std::size_t columns : {1, 15, 16, 17, 70, 131}) {
        const AlignedBuffer<float> noise = random_floats(rows * columns, 83 + rows);
        auto add = [&](const char* name, const std::function<float(float, std::size_t)>& f) {
          out.emplace_back(name, dtype, rows, columns,
                           [&](std::size_t r, std::size_t c) { return f(noise[r * columns + c], c); });
        };
        add("noise", [](float v, std::size_t c) { return v * static_cast<float>(c % 3 + 1); });
        add("constant", [](float, std::size_t c) { return 0.1f * static_cast<float>(c); });
        add("1e4 and noise", [](float v, std::size_t) { return 1e4f + v; });
      }
    }
  }
  return out;
}

struct Result {
  AlignedBuffer<float> mean, mean_low, rstd, variance, y, d, gamma_grad, beta_grad;

  ColumnStatistics statistics() { return {mean.data(), mean_low.data(), rstd.data(), variance.data()}; }

  void take_sums(const KernelTable& k, const Batch& b) {
    AlignedBuffer<float> centre(b.ld), sums(b.ld), squares(b.ld);
    for (std::size_t c = 0; c < b.ld; ++c) centre[c] = mean[c] + mean_low[c];
    for (std::size_t first = 0; first < b.rows; first += kChunk) {
      AlignedBuffer<float> part(b.ld), square(b.ld);
      k.column_sums[index_of(b.dtype)](std::min(kChunk, b.rows - first), b.columns, b.row(first), b.ld, centre.data(),
                                       part.data(), square.data());
      k.add(b.ld, part.data(), sums.data());
      k.add(b.ld, square.data(), squares.data());
    }
    k.batch_statistics(b.columns, b.rows, centre.data(), sums.data(), squares.data(), kEpsilon, statistics());
  }

  Result(const KernelTable& k, const Batch& b)
      : mean(b.ld),
        mean_low(b.ld),
        rstd(b.ld),
        variance(b.ld),
        y(b.rows * b.ld),
        d(b.rows * b.ld),
        gamma_grad(b.ld),
        beta_grad(b.ld) {
    const std::size_t t = index_of(b.dtype);
    k.to_fp32[t](b.columns, b.row(0), mean.data());
    take_sums(k, b);
    take_sums(k, b);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = b.d[i];
    for (std::size_t r = 0; r < b.rows; ++r) {
      k.normalise_columns[t](b.columns, b.row(r), statistics(), b.gamma.data(), b.beta.data(), y.data() + r * b.ld);
      k.normalise_columns_sums[t](b.columns, b.row(r), statistics(), b.d.data() + r * b.ld, gamma_grad.data(),
                                  beta_grad.data());
    }
    for (std::size_t r = 0; r < b.rows; ++r) {
      k.normalise_columns_backward[t](b.columns, b.rows, b.row(r), statistics(), b.gamma.data(), gamma_grad.data(),
                                      beta_grad.data(), d.data() + r * b.ld);
    }
  }
};

struct Column {
  double mean = 0, variance = 0, rstd = 0, gamma_grad = 0, beta_grad = 0;
  std::vector<double> xhat, y, d_x;
};

Column reference(const Batch& b, std::size_t c) {
  Column out;
  const auto n = static_cast<double>(b.rows);
  const double first = b.at(0, c);
  for (std::size_t r = 0; r < b.rows; ++r) out.mean += (b.at(r, c) - first) / n;
  for (std::size_t r = 0; r < b.rows; ++r) out.variance += std::pow(b.at(r, c) - first - out.mean, 2) / n;
  out.rstd = 1 / std::sqrt(out.variance + static_cast<double>(kEpsilon));
  for (std::size_t r = 0; r < b.rows; ++r) {
    const double d = b.d[r * b.ld + c], xhat = (b.at(r, c) - first - out.mean) * out.rstd;
    out.xhat.push_back(xhat);
    out.y.push_back(xhat * b.gamma[c] + b.beta[c]);
    out.gamma_grad += d * xhat;
    out.beta_grad += d;
  }
  for (std::size_t r = 0; r < b.rows; ++r) {
    const double d = b.d[r * b.ld + c];
    out.d_x.push_back((d - out.beta_grad / n - out.xhat[r] * out.gamma_grad / n) * b.gamma[c] * out.rstd);
  }
  out.mean += first;
  return out;
}

TEST_CASE("kernels: batch normalisation against double: noise, constants, large means, any shape") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Batch& b : batches()) {
      const Result got(kernels, b);
      const std::string what = std::string(kernels.name) + " " + b.text();
      for (std::size_t c = 0; c < b.ld; ++c) {
        if (c >= b.columns) {
          for (std::size_t r = 0; r < b.rows; ++r) {
            if (got.y[r * b.ld + c] != 0 || got.d[r * b.ld + c] != 0) wrong.add(what, " padding is written");
          }
          continue;
        }
        const Column want = reference(b, c);
        auto check = [&](const char* part, double value, double expected, double slack) {
          if (!(std::fabs(value - expected) <= slack))
            wrong.add(what, " column ", c, " ", part, ": ", value, " not ", expected);
        };
        double most = 0;
        for (double x : want.xhat) most = std::max(most, std::fabs(x));
        const double n = static_cast<double>(b.rows);
        check("variance", got.variance[c], want.variance, 2e-6 * want.variance);
        check("rstd", got.rstd[c], want.rstd, 1e-6 * want.rstd);
        check("gamma", got.gamma_grad[c], want.gamma_grad, 1e-6 * n * (most + 0.1));
        check("beta", got.beta_grad[c], want.beta_grad, 1e-6 * n);
        for (std::size_t r = 0; r < b.rows; ++r) {
          check("y", got.y[r * b.ld + c], want.y[r], 2e-6 * (most + 0.1) * std::fabs(b.gamma[c]) + 1e-7);
          check("d", got.d[r * b.ld + c], want.d_x[r], 2e-6 * std::fabs(b.gamma[c]) * want.rstd * (2 + most * most));
          if (b.name == "constant" && got.y[r * b.ld + c] != b.beta[c]) wrong.add(what, " is not exactly beta");
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: the double reference of batch normalisation agrees with central differences") {
  Batch b("noise", Dtype::fp32, 5, 2,
          [](std::size_t r, std::size_t c) { return 1.0f / static_cast<float>(r + c + 1); });
  auto loss = [&](std::size_t c) {
    double sum = 0;
    const Column column = reference(b, c);
    for (std::size_t r = 0; r < b.rows; ++r) sum += b.d[r * b.ld + c] * column.y[r];
    return sum;
  };
  for (std::size_t i = 0; i < 10; ++i) {
    const std::size_t r = i / 2, c = i % 2;
    float& x = b.x[r * b.ld + c];
    const float middle = x, step = 0x1p-12f;
    const double want = reference(b, c).d_x[r];
    x = middle + step;
    const double above = loss(c);
    x = middle - step;
    const double slope = (above - loss(c)) / static_cast<double>(2 * step);
    x = middle;
    CHECK(want == doctest::Approx(slope).epsilon(1e-4));
  }
}

TEST_CASE("kernels: batch normalisation makes the column of an inf or a NaN NaN, and no other") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (float bad : {kNan, kInf, -kInf}) {
        for (std::size_t at = 0; at < 20; ++at) {
          const Batch b("bad", dtype, 50, 20, [&](std::size_t r, std::size_t c) {
            return c == at && r == 2 * at ? bad : static_cast<float>((r * 7 + c) % 5);
          });
          const Result got(kernels, b);
          for (std::size_t i = 0; i < b.rows * b.ld; ++i) {
            const bool here = i % b.ld == at;
            if (std::isnan(got.y[i]) != here || std::isnan(got.d[i]) != here)
              wrong.add(kernels.name, " ", b.text(), " ", bad, " in column ", at, " gives ", got.y[i], " and ",
                        got.d[i], " in ", i % b.ld);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: running statistics are averages of batches, the variance unbiased, and normalise alike") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    constexpr std::size_t kColumns = 21, kPadded = 32;
    AlignedBuffer<float> mean(kPadded), variance(kPadded);
    std::vector<double> want_mean(kColumns, 0.0), want_variance(kColumns, 1.0);
    for (std::size_t c = 0; c < kColumns; ++c) variance[c] = 1;
    for (std::size_t rows : {60, 2, 1, 7}) {
      const AlignedBuffer<float> noise = random_floats(rows * kColumns, 90 + rows);
      const Batch b("noise", Dtype::fp32, rows, kColumns,
                    [&](std::size_t r, std::size_t c) { return 100 + noise[r * kColumns + c]; });
      Result got(kernels, b);
      kernels.update_running(kColumns, rows, got.statistics(), 0.1f, mean.data(), variance.data());
      for (std::size_t c = 0; c < kColumns; ++c) {
        const Column column = reference(b, c);
        const auto n = static_cast<double>(rows);
        want_mean[c] = 0.9 * want_mean[c] + 0.1 * column.mean;
        if (rows > 1) want_variance[c] = 0.9 * want_variance[c] + 0.1 * column.variance * n / (n - 1);
        CHECK(mean[c] == doctest::Approx(want_mean[c]).epsilon(1e-6));
        CHECK(variance[c] == doctest::Approx(want_variance[c]).epsilon(1e-6));
      }
      kernels.running_statistics(kColumns, mean.data(), variance.data(), kEpsilon, got.statistics());
      AlignedBuffer<float> y(kPadded);
      kernels.normalise_columns[index_of(b.dtype)](kColumns, b.row(0), got.statistics(), b.gamma.data(), b.beta.data(),
                                                   y.data());
      for (std::size_t c = 0; c < kColumns; ++c) {
        const double xhat = (b.at(0, c) - want_mean[c]) / std::sqrt(want_variance[c] + 1e-5);
        CHECK(std::fabs(y[c] - (xhat * b.gamma[c] + b.beta[c])) <= 2e-5 * (std::fabs(xhat) + 1));
      }
    }
  });
}

TEST_CASE("kernels: batch normalisation has the same bits on every ISA") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Batch& b : batches()) {
      const Result x(kernels, b), y(scalar, b);
      bool same = true;
      for (std::size_t i = 0; i < x.y.size(); ++i)
        same = same && same_bits(x.y[i], y.y[i]) && same_bits(x.d[i], y.d[i]);
      for (std::size_t c = 0; c < b.columns; ++c) {
        same = same && same_bits(x.mean[c], y.mean[c]) && same_bits(x.mean_low[c], y.mean_low[c]) &&
               same_bits(x.variance[c], y.variance[c]) && same_bits(x.gamma_grad[c], y.gamma_grad[c]);
      }
      if (!same) wrong.add(kernels.name, " ", b.text());
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
