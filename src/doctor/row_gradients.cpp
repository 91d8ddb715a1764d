#include "doctor/row_gradients.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/stored_values.hpp"

namespace halfstep::internal {
namespace {

double squared_norm(const StoredSignal& s, std::size_t row, std::size_t columns) {
  double sum = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    const auto v = static_cast<double>(value_at(s, row, c));
    sum += v * v;
  }
  return std::isfinite(sum) ? sum : INFINITY;
}

}  // namespace

std::vector<RowGradient> row_gradients(Rerun& rerun, std::size_t most) {
  const Network& network = rerun.network();
  const Capsule& c = rerun.capsule();
  std::vector<RowGradient> rows;
  // Of an ensemble several rows of each product are one example's, and what they add to a weight may cancel.
  if (network.shape().members > 1) return rows;
  double total = 0;
  for (std::size_t r = 0; r < rerun.held().rows; ++r) {
    double sum = 0;
    for (const StoredSignal& d : network.signals()) {
      if (d.kind != StoredSignal::Kind::gradient) continue;
      // 1: the bias reads an input of 1.
      const double x = 1 + squared_norm(input_of(network, d.block), r, network.shape().columns_of_layer(d.block));
      const double of_d = squared_norm(d, r, network.columns_of(d));
      sum += of_d == 0 ? 0 : x * of_d;
    }
    const std::size_t row = rerun.held().first + r;
    RowGradient g;
    g.row = static_cast<std::int64_t>(c.first_row + row);
    if (!c.examples.empty()) g.example = c.examples[row];
    if (!c.places.empty()) g.place = c.places[row];
    g.norm = std::sqrt(sum) / static_cast<double>(c.loss_scale);
    total += g.norm * g.norm;
    rows.push_back(std::move(g));
  }
  for (RowGradient& g : rows) g.share = std::isinf(g.norm) ? 1 : total > 0 ? g.norm * g.norm / total : 0;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const RowGradient& a, const RowGradient& b) { return a.norm > b.norm; });
  if (rows.size() > most) rows.resize(most);
  return rows;
}

}  // namespace halfstep::internal
