// The plain double MLP that gradients are compared with, against central differences.
#include <doctest/doctest.h>

#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "tests/nn/gradients.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

void check_differences(Mismatches& wrong, const Rows& rows, Activation activation, LossKind kind) {
  Network model({.widths = {5, 7, rows.residual ? 7u : 4u, 3},
                 .activation = activation,
                 .norm = rows.norm,
                 .dropout = rows.dropout,
                 .residual = rows.residual,
                 .dtype = Dtype::fp32,
                 .max_rows = 6});
  start(model, *isas().front().table);
  const Examples e(6, 5, 3);
  const std::vector<double> x(e.x.begin(), e.x.end());
  ReferenceMlp reference = reference_of(model);
  if (rows.dropout > 0) set_dropout(reference, model.shape(), e.rows);
  const auto g = reference.gradients(kind, x, e.rows, e.reference());
  auto check = [&](std::vector<std::vector<double>>& values, const std::vector<std::vector<double>>& slopes) {
    for (std::size_t t = 0; t < values.size(); ++t) {
      for (std::size_t i = 0; i < values[t].size(); ++i) {
        const double middle = values[t][i], step = 1e-6;
        values[t][i] = middle + step;
        const double above = reference.loss(kind, x, e.rows, e.reference());
        values[t][i] = middle - step;
        const double below = reference.loss(kind, x, e.rows, e.reference());
        values[t][i] = middle;
        const double slope = (above - below) / (2 * step);
        if (!(std::fabs(slope - slopes[t][i]) <= 1e-7)) {
          wrong.add(label(activation), " loss ", static_cast<int>(kind), " ", name(rows.norm), " norm, tensor ", t,
                    " at ", i, ": ", slopes[t][i], " not ", slope);
        }
      }
    }
  };
  check(reference.weights, g.weights);
  check(reference.biases, g.biases);
  check(reference.gammas, g.gammas);
  check(reference.betas, g.betas);
}

TEST_CASE("nn: the double reference agrees with central differences") {
  Mismatches wrong;
  for (Activation activation : kEachActivation) {
    for (LossKind kind : kEachLoss) check_differences(wrong, {Norm::none, 0}, activation, kind);
    for (const Rows& rows : kRows) check_differences(wrong, rows, activation, LossKind::cross_entropy);
    for (const Rows& rows : {Rows{Norm::none, 0, true}, {Norm::layer, 0, true}, {Norm::batch, 0.25, true}})
      check_differences(wrong, rows, activation, LossKind::cross_entropy);
  }
  CHECK_MESSAGE(wrong.none(), wrong.text());
}

}  // namespace
