#include "loss/loss.hpp"

#include <doctest/doctest.h>

#include "gemm/gemm.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/products.hpp"
#include "support/reference.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr LossKind kEachLoss[] = {LossKind::cross_entropy, LossKind::binary_cross_entropy, LossKind::mse,
                                  LossKind::huber, LossKind::mae};
constexpr double kDelta = 0.75;
constexpr float kScale = 512;

struct Batch {
  std::size_t rows, columns, ld;
  AlignedBuffer<float> logits, values;
  std::vector<std::int32_t> labels;
  ReferenceTargets reference;

  Batch(std::size_t r, std::size_t c, float size) : rows(r), columns(c), ld(pad_columns(c)), logits(pad_rows(r) * ld) {
    const AlignedBuffer<float> random = random_floats(r * c, 50 + r, size);
    values = random_floats(r * c, 51 + r, 2.0f);
    // Padding of the logits may hold anything.
    for (float& v : logits) v = kNan;
    for (std::size_t i = 0; i < r * c; ++i) logits[i / c * ld + i % c] = random[i];
    for (std::size_t i = 0; i < r; ++i) labels.push_back(static_cast<std::int32_t>(c == 1 ? i % 2 : i * 7 % c));
    reference.labels = labels;
    reference.values.assign(values.begin(), values.end());
    reference.huber_delta = kDelta;
  }
  LogitsView view() const { return {logits.data(), ld, columns, rows}; }
  Targets targets() const { return {labels.data(), values.data()}; }
  std::vector<double> row(std::size_t r) const { return {logits.begin() + r * ld, logits.begin() + r * ld + columns}; }
};

bool makes_sense(LossKind kind, std::size_t columns) { return kind != LossKind::cross_entropy || columns > 1; }

void check_loss(Mismatches& wrong, const KernelTable& kernels, Executor& executor, Dtype dtype, LossKind kind,
                const Batch& b) {
  const auto loss = make_loss(kind, kDelta);
  StoredMatrix d(dtype, pad_rows(b.rows), b.columns);
  d.poison();
  AlignedBuffer<float> sums(sum_chunks(b.rows) * b.ld);
  for (float& v : sums) v = kNan;
  const LossGradient gradient = {d.target(), sums.data(), b.ld};
  const double got = evaluate_loss(*loss, kernels, executor, b.view(), b.targets(), kScale, &gradient);
  const double alone = evaluate_loss(*loss, kernels, executor, b.view(), b.targets(), kScale, nullptr);
  const std::string what = std::string(kernels.name) + " " + std::string(name(dtype)) + " loss " +
                           std::to_string(static_cast<int>(kind)) + " rows " + std::to_string(b.rows) + " columns " +
                           std::to_string(b.columns);
  double expected = 0;
  std::vector<double> column_sums(sums.size());
  for (std::size_t r = 0; r < d.rows; ++r) {
    std::vector<double> slope(b.columns, 0.0);
    if (r < b.rows)
      expected +=
          reference_loss(kind, b.row(r).data(), b.columns, r, b.reference, slope.data()) / static_cast<double>(b.rows);
    for (std::size_t c = 0; c < b.ld; ++c) {
      const double want = c < b.columns ? slope[c] * static_cast<double>(kScale) / static_cast<double>(b.rows) : 0;
      if (r < b.rows) column_sums[r / kSumRows * b.ld + c] += want;
      const double size =
          static_cast<double>(kScale) / static_cast<double>(b.rows * (kind == LossKind::cross_entropy ? 1 : b.columns));
      const double step = dtype == Dtype::fp32 ? 0 : dtype == Dtype::bf16 ? 0x1p-8 : 0x1p-11;
      const double slack = 2e-6 * size + step * std::fabs(want) + (dtype == Dtype::fp16 ? 0x1p-25 : 0);
      const float stored = d.at(r, c);
      const bool ok = r < b.rows && c < b.columns ? std::fabs(stored - want) <= slack : stored == 0;
      if (!ok) wrong.add(what, " d ", r, ",", c, ": ", stored, " not ", want);
      if (d.raw_row(r, c) != d.raw_panel(r, c)) wrong.add(what, " rows and panels differ at ", r, ",", c);
    }
  }
  const std::uint32_t canary = dtype == Dtype::fp32 ? 0x01010101u * kCanary : 0x0101u * kCanary;
  if (d.raw_row(d.rows, 0) != canary) wrong.add(what, " wrote behind the last row");
  if (!(std::fabs(got - expected) <= 1e-6 * (1 + expected)) || got != alone) {
    wrong.add(what, ": ", got, ", without gradient ", alone, ", not ", expected);
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!(std::fabs(sums[i] - column_sums[i]) <= 1e-5 * static_cast<double>(kScale))) {
      wrong.add(what, " sums ", i, ": ", sums[i], " not ", column_sums[i]);
    }
  }
}

TEST_CASE("loss: values, gradients and sums against double, odd batches padded with zero") {
  const auto executor = make_executor(2, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (LossKind kind : kEachLoss) {
      for (std::size_t columns : {1u, 2u, 10u, 16u, 33u}) {
        if (!makes_sense(kind, columns)) continue;
        for (std::size_t rows : {1u, 2u, 7u, 48u, 49u, 97u}) {
          const Batch batch(rows, columns, 4.0f);
          for (Dtype dtype : kEachDtype) check_loss(wrong, kernels, *executor, dtype, kind, batch);
        }
      }
    }
    // Wider than the stack of a task.
    check_loss(wrong, kernels, *executor, Dtype::bf16, LossKind::mse, Batch(5, 700, 4.0f));
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("loss: the reference itself agrees with finite differences") {
  Mismatches wrong;
  for (LossKind kind : kEachLoss) {
    for (std::size_t columns : {1u, 2u, 10u}) {
      if (!makes_sense(kind, columns)) continue;
      const Batch batch(5, columns, 4.0f);
      for (std::size_t r = 0; r < batch.rows; ++r) {
        std::vector<double> z = batch.row(r), d(columns);
        reference_loss(kind, z.data(), columns, r, batch.reference, d.data());
        for (std::size_t c = 0; c < columns; ++c) {
          const double middle = z[c], step = 1e-5;
          z[c] = middle + step;
          const double above = reference_loss(kind, z.data(), columns, r, batch.reference, nullptr);
          z[c] = middle - step;
          const double below = reference_loss(kind, z.data(), columns, r, batch.reference, nullptr);
          z[c] = middle;
          const double slope = (above - below) / (2 * step);
          if (!(std::fabs(slope - d[c]) <= 1e-6))
            wrong.add("loss ", static_cast<int>(kind), " d ", c, ": ", d[c], " not ", slope);
        }
      }
    }
  }
  CHECK_MESSAGE(wrong.none(), wrong.text());
}

TEST_CASE("loss: extreme logits stay finite, NaN logits give a NaN loss and a NaN gradient") {
  const auto executor = make_executor(1, "serial");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (LossKind kind : kEachLoss) {
      const auto loss = make_loss(kind, kDelta);
      for (std::size_t columns : {1u, 10u}) {
        if (!makes_sense(kind, columns)) continue;
        Batch batch(3, columns, 1e4f);
        StoredMatrix d(Dtype::fp32, 4, columns);
        AlignedBuffer<float> sums(batch.ld);
        const LossGradient gradient = {d.target(), sums.data(), batch.ld};
        const double calm = evaluate_loss(*loss, kernels, *executor, batch.view(), batch.targets(), 1.0f, &gradient);
        if (!std::isfinite(calm)) wrong.add(kernels.name, " loss ", static_cast<int>(kind), " of large logits: ", calm);
        for (std::size_t at = 0; at < columns; ++at) {
          const float before = batch.logits[batch.ld + at];
          batch.logits[batch.ld + at] = kNan;
          const double got = evaluate_loss(*loss, kernels, *executor, batch.view(), batch.targets(), 1.0f, &gradient);
          batch.logits[batch.ld + at] = before;
          if (!std::isnan(got) || !std::isnan(d.at(1, at)) || !std::isnan(sums[at])) {
            wrong.add(kernels.name, " loss ", static_cast<int>(kind), " hides NaN at ", at, ": ", got, ", d ",
                      d.at(1, at));
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("loss: same bits with any number of threads and on every ISA") {
  const Batch batch(434, 10, 4.0f);
  for (LossKind kind : kEachLoss) {
    const auto loss = make_loss(kind, kDelta);
    const double expected = evaluate_loss(*loss, *isas().front().table, *make_executor(1, "serial"), batch.view(),
                                          batch.targets(), 1.0f, nullptr);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      for (int threads : {1, 2, 3, 5, 8}) {
        const auto executor = make_executor(threads, "threads");
        const double got = evaluate_loss(*loss, kernels, *executor, batch.view(), batch.targets(), 1.0f, nullptr);
        CHECK_MESSAGE(got == expected, std::string(kernels.name), " threads ", threads, " loss ",
                      static_cast<int>(kind));
      }
    });
  }
}

// As PyTorch's documentation of CrossEntropyLoss has it: one part by the label, one by all classes, both over the
// weights of the labels.
double weighted_reference(const Batch& b, const CrossEntropyOptions& o, std::vector<double>& d) {
  double by_label = 0, by_all = 0, weights = 0;
  auto weight = [&](std::size_t c) { return o.class_weights.empty() ? 1 : o.class_weights[c]; };
  for (std::size_t r = 0; r < b.rows; ++r) weights += weight(static_cast<std::size_t>(b.labels[r]));
  d.assign(b.rows * b.columns, 0);
  for (std::size_t r = 0; r < b.rows; ++r) {
    const std::vector<double> z = b.row(r);
    const double most = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (double v : z) sum += std::exp(v - most);
    auto part = [&](std::size_t c, double share) {  // share of -log p[c], and its gradient
      for (std::size_t i = 0; i < b.columns; ++i)
        d[r * b.columns + i] += share / weights * (std::exp(z[i] - most) / sum - (i == c ? 1 : 0));
      return share * (std::log(sum) + most - z[c]);
    };
    const auto label = static_cast<std::size_t>(b.labels[r]);
    by_label += part(label, (1 - o.label_smoothing) * weight(label));
    for (std::size_t c = 0; c < b.columns; ++c)
      by_all += part(c, o.label_smoothing / static_cast<double>(b.columns) * weight(c));
  }
  return (by_label + by_all) / weights;
}

TEST_CASE("loss: label smoothing and class weights against double") {
  const auto executor = make_executor(3, "threads");
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (std::size_t columns : {2, 5, 17}) {
      std::vector<double> weights;
      for (std::size_t c = 0; c < columns; ++c) weights.push_back(0.25 + static_cast<double>(c * 7 % 5));
      for (const CrossEntropyOptions& o : {CrossEntropyOptions{0.1, {}}, {0, weights}, {0.3, weights}}) {
        for (std::size_t rows : {1, 49, 100}) {
          for (float size : {3.0f, 1e3f}) {
            const Batch b(rows, columns, size);
            std::vector<double> want;
            const double expected = weighted_reference(b, o, want);
            StoredMatrix d(Dtype::fp32, pad_rows(rows), columns);
            AlignedBuffer<float> sums(sum_chunks(rows) * b.ld);
            const LossGradient gradient = {d.target(), sums.data(), b.ld};
            const auto loss = make_loss(LossKind::cross_entropy, 1, o);
            const double got = evaluate_loss(*loss, kernels, *executor, b.view(), b.targets(), kScale, &gradient);
            const std::string what = std::string(kernels.name) + " smoothing " + std::to_string(o.label_smoothing) +
                                     " rows " + std::to_string(rows) + " columns " + std::to_string(columns);
            if (!(std::fabs(got - expected) <= 1e-6 * (1 + expected))) wrong.add(what, ": ", got, " not ", expected);
            for (std::size_t i = 0; i < rows * b.ld; ++i) {
              const std::size_t r = i / b.ld, c = i % b.ld;
              const double slope = c < columns ? want[r * columns + c] * static_cast<double>(kScale) : 0;
              const double slack = c < columns ? 4e-6 * static_cast<double>(kScale) / static_cast<double>(rows) : 0;
              if (!(std::fabs(d.at(r, c) - slope) <= slack))
                wrong.add(what, " d ", r, ",", c, ": ", d.at(r, c), " not ", slope);
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("loss: smoothing of a logit that cannot be is infinite, and a NaN shows") {
  const KernelTable& kernels = *isas().front().table;
  AlignedBuffer<float> d(16);
  const std::int32_t label = 0;
  const auto loss = make_loss(LossKind::cross_entropy, 1, {0.1, {}});
  const float impossible[16] = {1, -kInf, 2}, broken[16] = {1, kNan, 2};
  CHECK(loss->row(kernels, impossible, 3, 0, {&label, nullptr}, 1, d.data()) == HUGE_VAL);
  for (int i = 0; i < 3; ++i) CHECK(std::isfinite(d[static_cast<std::size_t>(i)]));
  CHECK(std::isnan(loss->row(kernels, broken, 3, 0, {&label, nullptr}, 1, d.data())));
}

}  // namespace

TEST_CASE("loss: a row of weight 3 counts as three of it, one of weight 0 as none") {
  const auto executor = make_executor(2);
  const KernelTable& kernels = select_isa();
  for (const LossKind kind :
       {LossKind::cross_entropy, LossKind::binary_cross_entropy, LossKind::mse, LossKind::huber, LossKind::mae}) {
    CAPTURE(name(kind));
    const std::size_t columns = kind == LossKind::cross_entropy ? 5 : 1;
    const auto loss = make_loss(kind, kDelta);
    const Batch b(9, columns, 2.0f);
    const std::vector<float> weights = {1, 0, 3, 2, 1, 0, 1, 4, 2};
    Batch repeated(14, columns, 2.0f);
    std::vector<std::size_t> of;
    for (std::size_t i = 0; i < b.rows; ++i) of.insert(of.end(), static_cast<std::size_t>(weights[i]), i);
    REQUIRE(of.size() == repeated.rows);
    for (std::size_t i = 0; i < of.size(); ++i) {
      for (std::size_t c = 0; c < columns; ++c) {
        repeated.logits[i * b.ld + c] = b.logits[of[i] * b.ld + c];
        repeated.values[i * columns + c] = b.values[of[i] * columns + c];
      }
      repeated.labels[i] = b.labels[of[i]];
    }
    const auto evaluate = [&](const Batch& batch, const float* row_weights, StoredMatrix& d) {
      AlignedBuffer<float> sums(sum_chunks(batch.rows) * batch.ld);
      const LossGradient gradient = {d.target(), sums.data(), batch.ld};
      Targets targets = batch.targets();
      targets.weights = row_weights;
      return evaluate_loss(*loss, kernels, *executor, batch.view(), targets, kScale, &gradient);
    };
    StoredMatrix d(Dtype::fp32, pad_rows(b.rows), columns), d_repeated(Dtype::fp32, pad_rows(14), columns);
    CHECK(evaluate(b, weights.data(), d) == doctest::Approx(evaluate(repeated, nullptr, d_repeated)).epsilon(1e-6));
    for (std::size_t i = 0; i < of.size(); ++i) {
      const float times = weights[of[i]];
      CHECK(d.at(of[i], 0) == doctest::Approx(d_repeated.at(i, 0) * times).epsilon(1e-5));
    }
    CHECK(d.at(1, 0) == 0);
    const std::vector<float> none(b.rows, 0.0f);
    CHECK(evaluate(b, none.data(), d) == 0);
    for (std::size_t i = 0; i < b.rows; ++i) CHECK(d.at(i, 0) == 0);
  }
}
