// LayerNorm and RMSNorm of one row against double, forward and backward.
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

constexpr Norm kNorms[] = {Norm::layer, Norm::rms};
constexpr float kEpsilon = 1e-5f;

std::size_t padded(std::size_t columns) { return (columns + kLanes - 1) / kLanes * kLanes; }

// A row in storage, padding zero, with what a layer brings to it; the padding of the latter is poison.
struct Row {
  std::string name;
  Dtype dtype;
  std::size_t columns;
  AlignedBuffer<float> x;  // memory for any storage type
  AlignedBuffer<float> gamma, beta, d;

  Row(std::string n, Dtype t, std::size_t c, const std::function<float(std::size_t)>& value)
      : name(std::move(n)),
        dtype(t),
        columns(c),
        x(padded(c)),
        gamma(random_floats(padded(c), 60 + c, 2)),
        beta(random_floats(padded(c), 61 + c)),
        d(random_floats(padded(c), 62 + c)) {
    for (std::size_t i = 0; i < c; ++i) put(t, x.data(), i, value(i));
    for (std::size_t i = c; i < padded(c); ++i) gamma[i] = beta[i] = d[i] = kNan;
  }
  float at(std::size_t i) const { return get(dtype, x.data(), i); }
  std::string text() const { return std::string(halfstep::name(dtype)) + " " + name + " " + std::to_string(columns); }
};

std::vector<Row> rows_of(Dtype dtype, std::size_t columns) {
  const AlignedBuffer<float> noise = random_floats(columns, 63 + columns);
  std::vector<Row> out;
  auto add = [&](const char* name, const std::function<float(std::size_t)>& value) {
    out.emplace_back(name, dtype, columns, value);
  };
  add("noise", [&](std::size_t i) { return 3 * noise[i]; });
  add("constant", [](std::size_t) { return 0.1f; });
  add("large constant", [](std::size_t) { return -54321.0f; });
  add("1e4 and noise", [&](std::size_t i) { return 1e4f + noise[i]; });
  add("-1e4 and little noise", [&](std::size_t i) { return -1e4f + 0.01f * noise[i]; });
  add("one outlier", [&](std::size_t i) { return i == 0 ? 3e4f : noise[i]; });
  add("small", [&](std::size_t i) { return 1e-3f * noise[i]; });
  if (dtype != Dtype::fp16) add("huge", [&](std::size_t i) { return 1e25f * noise[i]; });
  return out;
}

std::vector<Row> rows() {
  std::vector<Row> out;
  for (Dtype dtype : kEachDtype) {
    for (std::size_t columns = 1; columns <= 40; ++columns) {
      for (Row& row : rows_of(dtype, columns)) out.push_back(std::move(row));
    }
    for (std::size_t columns : {63, 64, 65, 127, 128, 200, 1000, 4099}) {
      for (Row& row : rows_of(dtype, columns)) out.push_back(std::move(row));
    }
  }
  return out;
}

struct Reference {
  double mean = 0, variance = 0, rstd = 0;
  std::vector<double> xhat, y, d_x;
};

Reference reference(Norm norm, const Row& row) {
  Reference r;
  const auto n = static_cast<double>(row.columns);
  for (std::size_t i = 0; i < row.columns && norm == Norm::layer; ++i) r.mean += row.at(i) / n;
  double rest = 0;  // of a mean rounded to double
  for (std::size_t i = 0; i < row.columns && norm == Norm::layer; ++i) rest += (row.at(i) - r.mean) / n;
  for (std::size_t i = 0; i < row.columns; ++i) {
    const double centred = row.at(i) - r.mean - rest;
    r.variance += centred * centred / n;
  }
  r.rstd = 1 / std::sqrt(r.variance + static_cast<double>(kEpsilon));
  double direct = 0, along = 0;
  for (std::size_t i = 0; i < row.columns; ++i) {
    const double xhat = (row.at(i) - r.mean - rest) * r.rstd, g = static_cast<double>(row.d[i]) * row.gamma[i];
    r.xhat.push_back(xhat);
    r.y.push_back(xhat * row.gamma[i] + row.beta[i]);
    if (norm == Norm::layer) direct += g / n;
    along += g * xhat / n;
  }
  for (std::size_t i = 0; i < row.columns; ++i) {
    r.d_x.push_back((static_cast<double>(row.d[i]) * row.gamma[i] - direct - r.xhat[i] * along) * r.rstd);
  }
  return r;
}

// What a kernel table makes of a row.
struct Result {
  RowStatistics statistics;
  AlignedBuffer<float> y, d, gamma_sums, beta_sums;

  Result(const KernelTable& kernels, Norm norm, const Row& row)
      : y(random_floats(row.x.size() + kLanes, 64)),
        d(row.x.size()),
        gamma_sums(random_floats(row.x.size(), 65)),
        beta_sums(random_floats(row.x.size(), 66)) {
    const std::size_t t = index_of(row.dtype);
    RowStatistics twice[2];
    kernels.row_statistics[t](norm, row.columns, row.x.data(), 0, kEpsilon, nullptr, 0, twice);
    statistics = twice[1];
    kernels.normalise[t](row.columns, row.x.data(), statistics, row.gamma.data(), row.beta.data(), y.data());
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = row.d[i];
    kernels.normalise_backward[t](norm, row.columns, row.x.data(), statistics, row.gamma.data(), d.data(),
                                  gamma_sums.data(), norm == Norm::rms ? nullptr : beta_sums.data());
  }
};

TEST_CASE("kernels: normalisation against double: noise, constants, large means, outliers, any width") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Row& row : rows()) {
      for (Norm norm : kNorms) {
        const Reference want = reference(norm, row);
        const Result got(kernels, norm, row);
        const std::string what = std::string(kernels.name) + " " + std::string(name(norm)) + " " + row.text();
        if (!(std::fabs(got.statistics.rstd - want.rstd) <= 3e-7 * want.rstd))
          wrong.add(what, " rstd ", got.statistics.rstd, " not ", want.rstd);
        for (std::size_t i = 0; i < row.columns; ++i) {
          const double slack = 1e-6 * (std::fabs(want.xhat[i]) + 0.1) * std::fabs(row.gamma[i]) + 1e-7;
          if (!(std::fabs(got.y[i] - want.y[i]) <= slack))
            wrong.add(what, " at ", i, ": ", got.y[i], " not ", want.y[i]);
        }
        for (std::size_t i = row.columns; i < row.x.size(); ++i) {
          if (got.y[i] != 0) wrong.add(what, " writes ", got.y[i], " into the padding");
        }
        const AlignedBuffer<float> before = random_floats(got.y.size(), 64);
        if (got.y[row.x.size()] != before[row.x.size()]) wrong.add(what, " writes behind the row");
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: layer normalisation of a constant row, and of one of width 1, is exactly beta") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t columns = 1; columns <= 100; ++columns) {
        for (float value : {0.0f, 0.1f, -1e-3f, 54321.0f, 3.3333333f}) {
          const Row row("constant", dtype, columns, [&](std::size_t) { return value; });
          const Result got(kernels, Norm::layer, row);
          for (std::size_t i = 0; i < columns; ++i) {
            if (got.y[i] != row.beta[i]) wrong.add(kernels.name, " ", row.text(), " of ", value, ": ", got.y[i]);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: normalisation's gradients against double; sums are added to, padding is zero") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Row& row : rows()) {
      for (Norm norm : kNorms) {
        const Reference want = reference(norm, row);
        const Result got(kernels, norm, row);
        const AlignedBuffer<float> gamma_before = random_floats(row.x.size(), 65);
        const AlignedBuffer<float> beta_before = random_floats(row.x.size(), 66);
        const std::string what = std::string(kernels.name) + " " + std::string(name(norm)) + " " + row.text();
        double largest = 0;  // of the terms that d_x is a sum of
        for (std::size_t i = 0; i < row.columns; ++i)
          largest = std::max(largest, 2 * want.rstd * (1 + std::fabs(want.xhat[i])));
        for (std::size_t i = 0; i < row.columns; ++i) {
          if (!(std::fabs(got.d[i] - want.d_x[i]) <= 1e-6 * largest))
            wrong.add(what, " d at ", i, ": ", got.d[i], " not ", want.d_x[i]);
          const double gamma = gamma_before[i] + row.d[i] * want.xhat[i];
          if (!(std::fabs(got.gamma_sums[i] - gamma) <= 1e-6 * (1 + std::fabs(want.xhat[i]))))
            wrong.add(what, " gamma sum at ", i, ": ", got.gamma_sums[i], " not ", gamma);
          const float beta = norm == Norm::rms ? beta_before[i] : beta_before[i] + row.d[i];
          if (got.beta_sums[i] != beta) wrong.add(what, " beta sum at ", i, ": ", got.beta_sums[i], " not ", beta);
        }
        for (std::size_t i = row.columns; i < row.x.size(); ++i) {
          if (got.d[i] != 0 || got.gamma_sums[i] != gamma_before[i] || got.beta_sums[i] != beta_before[i])
            wrong.add(what, " touches the padding");
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: the double reference of normalisation agrees with central differences") {
  for (Norm norm : kNorms) {
    for (std::size_t columns : {1, 2, 7}) {
      Row row("noise", Dtype::fp32, columns, [](std::size_t i) { return 1.0f / static_cast<float>(i + 2); });
      const Reference r = reference(norm, row);
      auto loss = [&] {
        double sum = 0;
        for (std::size_t i = 0; i < columns; ++i) sum += row.d[i] * reference(norm, row).y[i];
        return sum;
      };
      for (std::size_t i = 0; i < columns; ++i) {
        const float middle = row.x[i], step = 0x1p-12f;
        row.x[i] = middle + step;
        const double above = loss();
        row.x[i] = middle - step;
        const double slope = (above - loss()) / static_cast<double>(2 * step);
        row.x[i] = middle;
        CHECK(r.d_x[i] == doctest::Approx(slope).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("kernels: normalisation makes a row with an inf or a NaN NaN, but not its padding") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t columns : {1, 2, 15, 16, 17, 40, 64, 100}) {
        for (std::size_t at = 0; at < columns; ++at) {
          for (float bad : {kNan, kInf, -kInf}) {
            const Row row("bad", dtype, columns, [&](std::size_t i) { return i == at ? bad : 0.5f; });
            for (Norm norm : kNorms) {
              const Result got(kernels, norm, row);
              for (std::size_t i = 0; i < row.x.size(); ++i) {
                const bool inside = i < columns;
                if (std::isnan(got.y[i]) != inside || std::isnan(got.d[i]) != inside)
                  wrong.add(kernels.name, " ", name(norm), " ", row.text(), ": ", bad, " at ", at, " gives ", got.y[i],
                            " and ", got.d[i], " at ", i);
              }
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: normalisation of numbers whose deviation fp32 cannot hold is NaN, not zero") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    const Row row("wide", Dtype::fp32, 20, [](std::size_t i) { return i % 2 == 0 ? 3e38f : -3e38f; });
    for (Norm norm : kNorms) {
      const Result got(kernels, norm, row);
      for (std::size_t i = 0; i < row.columns; ++i) CHECK(std::isnan(got.y[i]));
    }
  });
}

TEST_CASE("kernels: a NaN among gradients or parameters of a normalised row shows") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (Norm norm : kNorms) {
      for (std::size_t at : {0, 17, 36}) {
        Row row("noise", Dtype::bf16, 37, [](std::size_t i) { return static_cast<float>(i % 5); });
        row.d[at] = kNan;
        const Result bad_d(kernels, norm, row);
        for (std::size_t i = 0; i < row.columns; ++i) CHECK(std::isnan(bad_d.d[i]));
        CHECK(std::isnan(bad_d.gamma_sums[at]));
        CHECK(std::isnan(bad_d.beta_sums[at]) == (norm == Norm::layer));
        row.gamma[at] = kNan;
        CHECK(std::isnan(Result(kernels, norm, row).y[at]));
        row.gamma[at] = 1;
        row.beta[at] = kNan;
        CHECK(std::isnan(Result(kernels, norm, row).y[at]));
      }
    }
  });
}

TEST_CASE("kernels: normalisation has the same bits on every ISA, and in parts") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Row& row : rows()) {
      for (Norm norm : kNorms) {
        const Result a(kernels, norm, row), b(scalar, norm, row);
        bool same = same_bits(a.statistics.mean, b.statistics.mean) &&
                    same_bits(a.statistics.mean_low, b.statistics.mean_low) &&
                    same_bits(a.statistics.rstd, b.statistics.rstd);
        AlignedBuffer<float> parts(row.x.size());
        for (std::size_t first = 0; first < row.columns; first += 32) {
          kernels.normalise[index_of(row.dtype)](
              std::min<std::size_t>(32, row.columns - first),
              reinterpret_cast<const std::byte*>(row.x.data()) + first * size_of(row.dtype), a.statistics,
              row.gamma.data() + first, row.beta.data() + first, parts.data() + first);
        }
        for (std::size_t i = 0; i < row.x.size(); ++i) {
          same = same && same_bits(a.y[i], b.y[i]) && same_bits(a.d[i], b.d[i]) && same_bits(a.y[i], parts[i]) &&
                 same_bits(a.gamma_sums[i], b.gamma_sums[i]) && same_bits(a.beta_sums[i], b.beta_sums[i]);
        }
        if (!same) wrong.add(kernels.name, " ", name(norm), " ", row.text());
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

// Two rows of the same width one behind the other, and what single rows become.
struct TwoRows {
  const Row &row0, &row1;
  AlignedBuffer<float> x;  // memory for any storage type
  std::size_t ld;
  TwoRows(const Row& a, const Row& b) : row0(a), row1(b), x(2 * padded(a.columns)), ld(padded(a.columns)) {
    for (std::size_t i = 0; i < a.columns; ++i) {
      put(a.dtype, x.data(), i, a.at(i));
      put(a.dtype, x.data(), ld + i, b.at(i));
    }
  }
  // activation(y) of both in both layouts, through fp32 and store_rows.
  void plain(const KernelTable& kernels, Activation activation, const RowStatistics* s, const StorageTarget& to) const {
    AlignedBuffer<float> y(2 * ld);
    for (std::size_t r = 0; r < 2; ++r) {
      kernels.normalise[index_of(row0.dtype)](row0.columns, (r == 0 ? row0 : row1).x.data(), s[r], row0.gamma.data(),
                                              row0.beta.data(), y.data() + r * ld);
      kernels.activate[index_of(Dtype::fp32)](activation, ld, y.data() + r * ld, y.data() + r * ld);
    }
    kernels.store_rows[index_of(to.dtype)](ld, y.data(), y.data() + ld, to);
  }
};

std::vector<Row> rows_side_by_side(Dtype dtype, std::size_t columns) {
  std::vector<Row> out = rows_of(dtype, columns);
  out.emplace_back("inf", dtype, columns, [&](std::size_t i) { return i + 1 == columns ? kInf : 1.0f; });
  out.emplace_back("NaN", dtype, columns, [&](std::size_t i) { return i == columns / 2 ? kNan : 2.0f; });
  return out;
}

TEST_CASE("kernels: normalisation of two rows mixes nothing, and stores what fp32 rows would be rounded to") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t columns : {1, 15, 16, 17, 33, 64, 79, 200, 1100}) {
        const std::vector<Row> rows = rows_side_by_side(dtype, columns);
        for (std::size_t k = 0; k < rows.size(); ++k) {
          const TwoRows two(rows[k], rows[(k + 1) % rows.size()]);
          for (Norm norm : kNorms) {
            const std::string what = std::string(kernels.name) + " " + std::string(name(norm)) + " " + two.row0.text();
            const RowStatistics alone[2] = {Result(kernels, norm, two.row0).statistics,
                                            Result(kernels, norm, two.row1).statistics};
            const std::size_t ld = two.ld + kLanes;
            AlignedBuffer<float> centred(2 * ld);
            for (float* left : {static_cast<float*>(nullptr), centred.data()}) {
              RowStatistics s[2];
              kernels.row_statistics[index_of(dtype)](norm, columns, two.x.data(), two.ld, kEpsilon, left, ld, s);
              for (std::size_t r = 0; r < 2; ++r) {
                if (!same_bits(s[r].mean, alone[r].mean) || !same_bits(s[r].mean_low, alone[r].mean_low) ||
                    !same_bits(s[r].rstd, alone[r].rstd))
                  wrong.add(what, left ? " left as fp32" : "", ": statistics of row ", r);
              }
            }
            for (std::size_t i = 0; i < columns; ++i) {
              if (!same_bits(centred[i], two.row0.at(i) - alone[0].mean) ||
                  !same_bits(centred[ld + i], two.row1.at(i) - alone[1].mean))
                wrong.add(what, ": fp32 at ", i);
            }
            for (Dtype out : kEachDtype) {
              for (Activation activation : {Activation::identity, Activation::relu}) {
                for (bool panels : {false, true}) {
                  AlignedBuffer<float> want(4 * two.ld), got(4 * two.ld);
                  auto target = [&](AlignedBuffer<float>& m) {
                    return StorageTarget{m.data(), two.ld, panels ? m.data() + 2 * two.ld : nullptr, 2 * kLanes, out};
                  };
                  two.plain(kernels, activation, alone, target(want));
                  kernels.normalise_rows[index_of(out)](activation, columns, centred.data(), ld, alone,
                                                        two.row0.gamma.data(), two.row0.beta.data(), target(got));
                  bool same = true;
                  for (std::size_t i = 0; i < 4 * two.ld; ++i)
                    same = same && same_bits(get(out, want.data(), i), get(out, got.data(), i));
                  if (!same)
                    wrong.add(what, " ", activation == Activation::relu ? "ReLU" : "identity", " to ", name(out),
                              panels ? " in panels" : "");
                }
              }
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
