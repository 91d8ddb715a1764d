#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

struct Row {
  std::string name;
  AlignedBuffer<float> logits;  // padded; the padding is poison
  std::size_t columns;
};

Row make_row(std::string name, std::size_t columns, float size) {
  Row row{std::move(name), random_floats((columns + 15) / 16 * 16, 40 + columns, size), columns};
  for (std::size_t i = columns; i < row.logits.size(); ++i) row.logits[i] = kNan;
  return row;
}

std::vector<Row> rows() {
  std::vector<Row> out;
  for (std::size_t columns = 1; columns <= 40; ++columns) {
    out.push_back(make_row("small", columns, 3.0f));
    out.push_back(make_row("huge", columns, 1e4f));
    Row low = make_row("very negative", columns, 1.0f);
    for (std::size_t i = 0; i < columns; ++i) low.logits[i] -= 1e4f;
    out.push_back(std::move(low));
    if (columns == 1) continue;
    Row masked = make_row("with -inf", columns, 3.0f);
    for (std::size_t i = 0; i < columns; i += 2) masked.logits[i] = -kInf;
    out.push_back(std::move(masked));
  }
  return out;
}

std::vector<double> probabilities(const Row& row, double& log_sum) {
  double largest = -HUGE_VAL, sum = 0;
  for (std::size_t i = 0; i < row.columns; ++i) largest = std::max(largest, static_cast<double>(row.logits[i]));
  std::vector<double> p(row.columns);
  for (std::size_t i = 0; i < row.columns; ++i) sum += p[i] = std::exp(static_cast<double>(row.logits[i]) - largest);
  for (double& v : p) v /= sum;
  log_sum = std::log(sum) + largest;
  return p;
}

TEST_CASE("kernels: softmax against double, summing to one, padding zero") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Row& row : rows()) {
      double log_sum = 0, total = 0;
      const std::vector<double> expected = probabilities(row, log_sum);
      AlignedBuffer<float> p = random_floats(row.logits.size() + 16, 1);
      const float behind = p[row.logits.size()];
      kernels.softmax(row.columns, row.logits.data(), p.data());
      for (std::size_t i = 0; i < row.logits.size(); ++i) {
        const double want = i < row.columns ? expected[i] : 0;
        total += p[i];
        if (!(std::fabs(p[i] - want) <= 1e-6 * want + 1e-37)) {
          wrong.add(kernels.name, " ", row.name, " columns ", row.columns, " at ", i, ": ", p[i], " not ", want);
        }
      }
      if (!(std::fabs(total - 1) < 1e-6))
        wrong.add(kernels.name, " ", row.name, " columns ", row.columns, " sum ", total);
      if (p[row.logits.size()] != behind) wrong.add(kernels.name, " columns ", row.columns, " wrote behind the row");
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: softmax_cross_entropy against double, also in place") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Row& row : rows()) {
      double log_sum = 0;
      const std::vector<double> expected = probabilities(row, log_sum);
      for (std::size_t label : {row.columns - 1, row.columns / 2, std::size_t{0}}) {
        const float scale = 1024.0f;
        AlignedBuffer<float> d(row.logits.size()), same(row.logits.size());
        for (std::size_t i = 0; i < same.size(); ++i) same[i] = row.logits[i];
        const auto truth = static_cast<std::int32_t>(label);
        const double loss = kernels.softmax_cross_entropy(row.columns, row.logits.data(), truth, scale, d.data());
        const double in_place = kernels.softmax_cross_entropy(row.columns, same.data(), truth, scale, same.data());
        const double want = log_sum - static_cast<double>(row.logits[label]);
        if (!(loss == want || std::fabs(loss - want) <= 1e-6 * (1 + std::fabs(want))) || !(in_place == loss)) {
          wrong.add(kernels.name, " ", row.name, " columns ", row.columns, " loss ", loss, ", in place ", in_place,
                    " not ", want);
        }
        for (std::size_t i = 0; i < d.size(); ++i) {
          const double slope = i >= row.columns ? 0 : (expected[i] - (i == label ? 1 : 0)) * static_cast<double>(scale);
          const double slack = i >= row.columns ? 0 : 1e-6 * static_cast<double>(scale);
          if (!(std::fabs(d[i] - slope) <= slack) || !same_bits(d[i], same[i])) {
            wrong.add(kernels.name, " ", row.name, " columns ", row.columns, " d at ", i, ": ", d[i], " not ", slope);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: softmax passes NaN on, but never into the padding") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (std::size_t columns = 1; columns <= 40; ++columns) {
      for (std::size_t at = 0; at < columns; ++at) {
        for (float bad : {kNan, kInf}) {
          Row row = make_row("bad", columns, 3.0f);
          row.logits[at] = bad;
          AlignedBuffer<float> p(row.logits.size()), d(row.logits.size());
          kernels.softmax(columns, row.logits.data(), p.data());
          const double loss = kernels.softmax_cross_entropy(columns, row.logits.data(), 0, 1.0f, d.data());
          bool nan = std::isnan(loss);
          for (std::size_t i = 0; i < columns; ++i)
            nan = nan && (bad == kInf || (std::isnan(p[i]) && std::isnan(d[i])));
          if (!nan) wrong.add(kernels.name, " ", bad, " at ", at, " of ", columns, " is lost, loss ", loss);
          for (std::size_t i = columns; i < p.size(); ++i) {
            if (p[i] != 0 || d[i] != 0)
              wrong.add(kernels.name, " ", bad, " at ", at, " of ", columns, " leaks to padding ", i);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: softmax has the same bits on every ISA") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (const Row& row : rows()) {
      AlignedBuffer<float> p(row.logits.size()), q(row.logits.size()), d(row.logits.size()), e(row.logits.size());
      kernels.softmax(row.columns, row.logits.data(), p.data());
      scalar.softmax(row.columns, row.logits.data(), q.data());
      const double loss = kernels.softmax_cross_entropy(row.columns, row.logits.data(), 0, 3.0f, d.data());
      const double other = scalar.softmax_cross_entropy(row.columns, row.logits.data(), 0, 3.0f, e.data());
      bool same = loss == other;
      for (std::size_t i = 0; i < p.size(); ++i) same = same && same_bits(p[i], q[i]) && same_bits(d[i], e[i]);
      if (!same) wrong.add(kernels.name, " ", row.name, " columns ", row.columns);
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
