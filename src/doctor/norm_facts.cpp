#include "doctor/norm_facts.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/stored_values.hpp"
#include "nn/norm.hpp"

namespace halfstep::internal {
namespace {

constexpr double kLargeFactor = 30;

struct Moments {
  double sum = 0, squares = 0;
  std::size_t count = 0;
  void add(double v) {
    sum += v;
    squares += v * v;
    ++count;
  }
  double variance(bool centred) const {
    const auto n = static_cast<double>(count);
    const double mean = centred ? sum / n : 0;
    return std::max(0.0, squares / n - mean * mean);
  }
};

const StoredSignal* pre_activations(const Network& network, std::size_t block) {
  for (const StoredSignal& s : network.signals()) {
    if (s.kind == StoredSignal::Kind::output && s.block == block && s.product == 0) return &s;
  }
  return nullptr;
}

}  // namespace

std::optional<NormFacts> norm_facts(Rerun& rerun, const Incident& incident, std::size_t block) {
  const Network& network = rerun.network();
  const Norm norm = network.shape().norm;
  const StoredSignal* const z = pre_activations(network, block);
  if (norm == Norm::none || z == nullptr || incident.batch_row < 0 || !std::isfinite(incident.value)) return {};
  if (block + 1 >= network.shape().layers()) return {};
  const std::string layer = "layers." + std::to_string(block);
  const Rerun::Part& part = rerun.held();
  Moments moments;
  NormFacts facts;
  if (norm == Norm::batch) {
    for (std::size_t r = 0; r < part.rows; ++r) {
      moments.add(static_cast<double>(value_at(*z, r, static_cast<std::size_t>(incident.column))));
    }
    facts.what = "the pre-activations of column " + std::to_string(incident.column) + " of " + layer;
  } else {
    // Of an ensemble that of the first member.
    const std::size_t row = network.layer_rows(static_cast<std::size_t>(incident.batch_row) - part.first);
    for (std::size_t c = 0; c < network.shape().widths[block + 1]; ++c) {
      moments.add(static_cast<double>(value_at(*z, row, c)));
    }
    facts.what = "the pre-activations of row " +
                 std::to_string(rerun.capsule().first_row + static_cast<std::size_t>(incident.batch_row)) + " in " +
                 layer;
  }
  const double variance = moments.variance(norm != Norm::rms);
  facts.deviation = std::sqrt(variance);
  facts.factor = 1 / std::sqrt(variance + static_cast<double>(kNormEpsilon));
  const bool would_fit = std::fabs(incident.value) / facts.factor < rounds_to_infinity(incident.storage);
  if (!(facts.factor > kLargeFactor) || !would_fit) return {};
  return facts;
}

}  // namespace halfstep::internal
