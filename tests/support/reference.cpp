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
      if (kind == LossKind::mae) {
        sum += std::fabs(e);
        slope = (e > 0) - (e < 0);
      } else {
        sum += kind == LossKind::mse ? e * e : huber_term(e, targets.huber_delta, &slope);
        if (kind == LossKind::mse) slope = 2 * e;
      }
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

namespace {

std::vector<double> column_of(const ReferenceMlp::Rows& rows, std::size_t column) {
  std::vector<double> out;
  for (const std::vector<double>& row : rows) out.push_back(row[column]);
  return out;
}

void set_column(ReferenceMlp::Rows& rows, std::size_t column, const std::vector<double>& values) {
  for (std::size_t r = 0; r < rows.size(); ++r) rows[r][column] = values[r];
}

}  // namespace

bool ReferenceMlp::skips(std::size_t layer) const {
  return residual && layer + 2 < widths.size() && widths[layer] == widths[layer + 1];
}

// BatchNorm is LayerNorm of the columns, if it does not go by running statistics.
void ReferenceMlp::normalise(std::size_t layer, Layer& v) const {
  v.xhat = v.z;
  if (norm != Norm::batch) {
    for (std::vector<double>& row : v.xhat) v.rstd.push_back(reference_normalise(norm, row));
  }
  for (std::size_t o = 0; norm == Norm::batch && o < widths[layer + 1]; ++o) {
    std::vector<double> column = column_of(v.z, o);
    if (running_means.empty()) {
      v.rstd.push_back(reference_normalise(Norm::layer, column));
      v.mean.push_back(0);
      for (const std::vector<double>& row : v.z) v.mean[o] += row[o] / static_cast<double>(v.z.size());
      v.variance.push_back(1 / (v.rstd[o] * v.rstd[o]) - 1e-5);
    } else {
      v.rstd.push_back(1 / std::sqrt(running_variances[layer][o] + 1e-5));
      for (double& x : column) x = (x - running_means[layer][o]) * v.rstd[o];
    }
    set_column(v.xhat, o, column);
  }
  for (std::size_t r = 0; r < v.z.size(); ++r) {
    for (std::size_t o = 0; o < v.z[r].size(); ++o)
      v.z[r][o] = v.xhat[r][o] * gammas[layer][o] + (betas.empty() ? 0 : betas[layer][o]);
  }
}

std::vector<ReferenceMlp::Layer> ReferenceMlp::forward(const std::vector<double>& x, std::size_t rows) const {
  std::vector<Layer> out;
  Rows a;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(r * widths[0]);
    a.emplace_back(first, first + static_cast<std::ptrdiff_t>(widths[0]));
  }
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    Layer here;
    for (std::size_t r = 0; r < rows; ++r) {
      here.z.push_back(biases[l]);
      for (std::size_t o = 0; o < biases[l].size(); ++o) {
        for (std::size_t i = 0; i < a[r].size(); ++i) here.z[r][o] += weights[l][o * a[r].size() + i] * a[r][i];
      }
    }
    const bool hidden = l + 2 < widths.size();
    if (hidden && norm != Norm::none) normalise(l, here);
    here.y = here.z;
    for (std::size_t r = 0; hidden && r < rows; ++r) {
      for (std::size_t o = 0; o < here.y[r].size(); ++o) {
        double& y = here.y[r][o];
        y = reference_activation(activation, y);
        if (!dropout.empty()) y *= dropout[l][r * widths[l + 1] + o];
        if (skips(l)) y += a[r][o];
      }
    }
    a = here.y;
    out.push_back(std::move(here));
  }
  return out;
}

double ReferenceMlp::loss(LossKind kind, const std::vector<double>& x, std::size_t rows,
                          const ReferenceTargets& targets) const {
  double total = 0;
  const std::vector<Layer> values = forward(x, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::vector<double>& logits = values.back().y[r];
    total += reference_loss(kind, logits.data(), logits.size(), r, targets, nullptr);
  }
  return total / static_cast<double>(rows);
}

void ReferenceMlp::hidden_backward(std::size_t layer, const Layer& values, Rows& d, Gradients& g) const {
  for (std::size_t r = 0; r < d.size(); ++r) {
    for (std::size_t o = 0; o < d[r].size(); ++o) {
      if (!dropout.empty()) d[r][o] *= dropout[layer][r * d[r].size() + o];
      d[r][o] *= reference_derivative(activation, values.z[r][o]);
      if (norm == Norm::none) continue;
      g.gammas[layer][o] += d[r][o] * values.xhat[r][o];
      if (!betas.empty()) g.betas[layer][o] += d[r][o];
      d[r][o] *= gammas[layer][o];
    }
    if (norm == Norm::layer || norm == Norm::rms) {
      reference_normalise_backward(norm, values.xhat[r], values.rstd[r], d[r]);
    }
  }
  for (std::size_t o = 0; norm == Norm::batch && o < widths[layer + 1]; ++o) {
    std::vector<double> column = column_of(d, o);
    reference_normalise_backward(Norm::layer, column_of(values.xhat, o), values.rstd[o], column);
    set_column(d, o, column);
  }
}

ReferenceMlp::Gradients ReferenceMlp::gradients(LossKind kind, const std::vector<double>& x, std::size_t rows,
                                                const ReferenceTargets& targets) const {
  Gradients g;
  for (const auto& [from, to] :
       {std::pair{&weights, &g.weights}, {&biases, &g.biases}, {&gammas, &g.gammas}, {&betas, &g.betas}}) {
    for (const std::vector<double>& tensor : *from) to->emplace_back(tensor.size(), 0.0);
  }
  const std::vector<Layer> values = forward(x, rows);
  Rows d(rows, std::vector<double>(widths.back()));
  for (std::size_t r = 0; r < rows; ++r) {
    g.loss += reference_loss(kind, values.back().y[r].data(), d[r].size(), r, targets, d[r].data()) /
              static_cast<double>(rows);
    for (double& v : d[r]) v /= static_cast<double>(rows);
  }
  for (std::size_t l = widths.size() - 1; l-- > 0;) {
    const Rows d_y = d;
    if (l + 2 < widths.size()) hidden_backward(l, values[l], d, g);
    for (std::size_t r = 0; r < rows; ++r) {
      const double* a = l == 0 ? x.data() + r * widths[0] : values[l - 1].y[r].data();
      std::vector<double> below = skips(l) ? d_y[r] : std::vector<double>(widths[l], 0.0);
      for (std::size_t o = 0; o < d[r].size(); ++o) {
        g.biases[l][o] += d[r][o];
        for (std::size_t i = 0; i < widths[l]; ++i) {
          g.weights[l][o * widths[l] + i] += d[r][o] * a[i];
          below[i] += d[r][o] * weights[l][o * widths[l] + i];
        }
      }
      d[r] = below;
    }
  }
  return g;
}

}  // namespace halfstep::test
