#include "support/reference.hpp"

#include <algorithm>

namespace halfstep::test {
namespace {

double cross_entropy(const double* z, std::size_t columns, std::size_t label, double* d) {
  const double largest = *std::max_element(z, z + columns);
  double sum = 0;
  for (std::size_t i = 0; i < columns; ++i) sum += std::exp(z[i] - largest);
  for (std::size_t i = 0; i < columns && d != nullptr; ++i) {
    d[i] = std::exp(z[i] - largest) / sum - (i == label ? 1 : 0);
  }
  return std::log(sum) + largest - z[label];
}

double binary_term(double z, bool y, double* d) {
  if (d != nullptr) *d = reference_sigmoid(z) - (y ? 1 : 0);
  return -(y ? -std::log1p(std::exp(-std::fabs(z))) + std::min(z, 0.0)
             : -std::log1p(std::exp(-std::fabs(z))) - std::max(z, 0.0));
}

double huber_term(double e, double delta, double* d) {
  if (d != nullptr) *d = std::clamp(e, -delta, delta);
  return std::fabs(e) <= delta ? e * e / 2 : delta * (std::fabs(e) - delta / 2);
}

}  // namespace

double reference_loss(LossKind kind, const double* logits, std::size_t columns, std::size_t row,
                      const ReferenceTargets& targets, double* d) {
  if (kind == LossKind::cross_entropy) {
    return cross_entropy(logits, columns, static_cast<std::size_t>(targets.labels[row]), d);
  }
  double sum = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    double slope = 0;
    if (kind == LossKind::binary_cross_entropy) {
      const auto y = static_cast<std::size_t>(targets.labels[row]);
      sum += binary_term(logits[i], columns == 1 ? y != 0 : y == i, &slope);
    } else {
      const double e = logits[i] - targets.values[row * columns + i];
      sum += kind == LossKind::mse ? e * e : huber_term(e, targets.huber_delta, &slope);
      if (kind == LossKind::mse) slope = 2 * e;
    }
    if (d != nullptr) d[i] = slope / static_cast<double>(columns);
  }
  return sum / static_cast<double>(columns);
}

double ReferenceMlp::loss(LossKind kind, const std::vector<double>& x, std::size_t rows,
                          const ReferenceTargets& targets) const {
  double total = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<double> a(x.begin() + static_cast<std::ptrdiff_t>(r * widths[0]),
                          x.begin() + static_cast<std::ptrdiff_t>((r + 1) * widths[0]));
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      std::vector<double> z(biases[l]);
      for (std::size_t o = 0; o < z.size(); ++o) {
        for (std::size_t i = 0; i < a.size(); ++i) z[o] += weights[l][o * a.size() + i] * a[i];
        if (l + 2 < widths.size()) z[o] = reference_activation(activation, z[o]);
      }
      a = z;
    }
    total += reference_loss(kind, a.data(), a.size(), r, targets, nullptr);
  }
  return total / static_cast<double>(rows);
}

ReferenceMlp::Gradients ReferenceMlp::gradients(LossKind kind, const std::vector<double>& x, std::size_t rows,
                                                const ReferenceTargets& targets) const {
  const std::size_t layers = widths.size() - 1;
  Gradients g;
  for (std::size_t l = 0; l < layers; ++l) {
    g.weights.emplace_back(weights[l].size(), 0.0);
    g.biases.emplace_back(biases[l].size(), 0.0);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<std::vector<double>> a(layers + 1), z(layers);
    a[0].assign(x.begin() + static_cast<std::ptrdiff_t>(r * widths[0]),
                x.begin() + static_cast<std::ptrdiff_t>((r + 1) * widths[0]));
    for (std::size_t l = 0; l < layers; ++l) {
      z[l] = biases[l];
      for (std::size_t o = 0; o < z[l].size(); ++o) {
        for (std::size_t i = 0; i < widths[l]; ++i) z[l][o] += weights[l][o * widths[l] + i] * a[l][i];
      }
      a[l + 1] = z[l];
      for (double& v : a[l + 1]) v = l + 1 < layers ? reference_activation(activation, v) : v;
    }
    std::vector<double> d(widths.back());
    g.loss += reference_loss(kind, a[layers].data(), d.size(), r, targets, d.data()) / static_cast<double>(rows);
    for (double& v : d) v /= static_cast<double>(rows);
    for (std::size_t l = layers; l-- > 0;) {
      std::vector<double> below(widths[l], 0.0);
      for (std::size_t o = 0; o < d.size(); ++o) {
        g.biases[l][o] += d[o];
        for (std::size_t i = 0; i < widths[l]; ++i) {
          g.weights[l][o * widths[l] + i] += d[o] * a[l][i];
          below[i] += d[o] * weights[l][o * widths[l] + i];
        }
      }
      for (std::size_t i = 0; l > 0 && i < below.size(); ++i) {
        below[i] *= reference_derivative(activation, z[l - 1][i]);
      }
      d = below;
    }
  }
  return g;
}

}  // namespace halfstep::test
