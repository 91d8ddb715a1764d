#include "support/reference.hpp"

#include <algorithm>
#include <utility>

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

double reference_normalise(Norm norm, std::vector<double>& row) {
  const auto n = static_cast<double>(row.size());
  double mean = 0, squares = 0;
  for (double v : row) mean += norm == Norm::layer ? v / n : 0;
  for (double& v : row) v -= mean;
  for (double v : row) squares += v * v;
  const double rstd = 1 / std::sqrt(squares / n + 1e-5);
  for (double& v : row) v *= rstd;
  return rstd;
}

void reference_normalise_backward(Norm norm, const std::vector<double>& xhat, double rstd, std::vector<double>& d) {
  const auto n = static_cast<double>(d.size());
  double direct = 0, along = 0;
  for (std::size_t i = 0; i < d.size(); ++i) {
    direct += norm == Norm::layer ? d[i] / n : 0;
    along += d[i] * xhat[i] / n;
  }
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = (d[i] - direct - xhat[i] * along) * rstd;
}

std::vector<ReferenceMlp::Layer> ReferenceMlp::forward(const std::vector<double>& x, std::size_t row) const {
  std::vector<Layer> out;
  std::vector<double> a(x.begin() + static_cast<std::ptrdiff_t>(row * widths[0]),
                        x.begin() + static_cast<std::ptrdiff_t>((row + 1) * widths[0]));
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    Layer here;
    here.z = biases[l];
    for (std::size_t o = 0; o < here.z.size(); ++o) {
      for (std::size_t i = 0; i < a.size(); ++i) here.z[o] += weights[l][o * a.size() + i] * a[i];
    }
    const bool hidden = l + 2 < widths.size();
    if (hidden && norm != Norm::none) {
      here.xhat = here.z;
      here.rstd = reference_normalise(norm, here.xhat);
      for (std::size_t o = 0; o < here.z.size(); ++o)
        here.z[o] = here.xhat[o] * gammas[l][o] + (betas.empty() ? 0 : betas[l][o]);
    }
    here.y = here.z;
    for (std::size_t o = 0; hidden && o < here.y.size(); ++o) {
      here.y[o] = reference_activation(activation, here.z[o]);
      if (!dropout.empty()) here.y[o] *= dropout[l][row * here.y.size() + o];
    }
    a = here.y;
    out.push_back(std::move(here));
  }
  return out;
}

double ReferenceMlp::loss(LossKind kind, const std::vector<double>& x, std::size_t rows,
                          const ReferenceTargets& targets) const {
  double total = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::vector<double> logits = forward(x, r).back().y;
    total += reference_loss(kind, logits.data(), logits.size(), r, targets, nullptr);
  }
  return total / static_cast<double>(rows);
}

void ReferenceMlp::hidden_backward(std::size_t layer, std::size_t row, const Layer& values, std::vector<double>& d,
                                   Gradients& g) const {
  for (std::size_t o = 0; o < d.size(); ++o) {
    if (!dropout.empty()) d[o] *= dropout[layer][row * d.size() + o];
    d[o] *= reference_derivative(activation, values.z[o]);
  }
  if (norm == Norm::none) return;
  for (std::size_t o = 0; o < d.size(); ++o) {
    g.gammas[layer][o] += d[o] * values.xhat[o];
    if (!betas.empty()) g.betas[layer][o] += d[o];
    d[o] *= gammas[layer][o];
  }
  reference_normalise_backward(norm, values.xhat, values.rstd, d);
}

ReferenceMlp::Gradients ReferenceMlp::gradients(LossKind kind, const std::vector<double>& x, std::size_t rows,
                                                const ReferenceTargets& targets) const {
  const std::size_t layers = widths.size() - 1;
  Gradients g;
  for (const auto& [from, to] :
       {std::pair{&weights, &g.weights}, {&biases, &g.biases}, {&gammas, &g.gammas}, {&betas, &g.betas}}) {
    for (const std::vector<double>& tensor : *from) to->emplace_back(tensor.size(), 0.0);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const std::vector<Layer> values = forward(x, r);
    std::vector<double> d(widths.back());
    g.loss += reference_loss(kind, values.back().y.data(), d.size(), r, targets, d.data()) / static_cast<double>(rows);
    for (double& v : d) v /= static_cast<double>(rows);
    for (std::size_t l = layers; l-- > 0;) {
      const double* a = l == 0 ? x.data() + r * widths[0] : values[l - 1].y.data();
      std::vector<double> below(widths[l], 0.0);
      for (std::size_t o = 0; o < d.size(); ++o) {
        g.biases[l][o] += d[o];
        for (std::size_t i = 0; i < widths[l]; ++i) {
          g.weights[l][o * widths[l] + i] += d[o] * a[i];
          below[i] += d[o] * weights[l][o * widths[l] + i];
        }
      }
      if (l > 0) hidden_backward(l - 1, r, values[l - 1], below, g);
      d = below;
    }
  }
  return g;
}

}  // namespace halfstep::test
