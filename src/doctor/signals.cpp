#include "doctor/signals.hpp"

#include <algorithm>
#include <limits>

#include "base/digest.hpp"
#include "doctor/stored_values.hpp"

namespace halfstep::internal {
namespace {

void add(Digest& digest, std::vector<float> values) {
  for (float& v : values) {
    if (std::isnan(v)) v = std::numeric_limits<float>::quiet_NaN();
  }
  digest.update(values.data(), values.size() * sizeof(float));
}

}  // namespace

std::vector<SignalCopy> copy_signals(const Network& network, std::size_t rows) {
  std::vector<SignalCopy> out;
  for (const StoredSignal& s : network.signals()) {
    if (s.product >= 0) continue;
    SignalCopy copy = {s.name, s.kind == StoredSignal::Kind::gradient, {}};
    const std::size_t columns = network.columns_of(s);
    copy.values.reserve(network.rows_of(s, rows) * columns);
    for (std::size_t r = 0; r < network.rows_of(s, rows); ++r) {
      for (std::size_t c = 0; c < columns; ++c) copy.values.push_back(value_at(s, r, c));
    }
    out.push_back(std::move(copy));
  }
  const auto gradients = std::find_if(out.begin(), out.end(), [](const SignalCopy& s) { return s.gradient; });
  std::reverse(gradients, out.end());
  return out;
}

double largest(const SignalCopy& signal) {
  double most = 0;
  for (const float v : signal.values) {
    const double here = std::fabs(static_cast<double>(v));
    most = here > most || std::isnan(here) ? here : most;
  }
  return most;
}

Dtype storage_of(const Network& network, const std::string& tensor) {
  for (const StoredSignal& s : network.signals()) {
    if (s.name == tensor) return s.dtype;
  }
  for (const Parameter* p : network.parameters()) {
    if (tensor == "gradient of " + p->name) return p->storage;
    // What is stored before a norm has the type of the output behind it.
    if (tensor == "layers." + std::to_string(p->block) + ".pre_activation") {
      return storage_of(network, "layers." + std::to_string(p->block) + ".output");
    }
  }
  return Dtype::fp32;
}

std::string step_digest(const Network& network, std::size_t rows) {
  Digest digest;
  for (SignalCopy& signal : copy_signals(network, rows)) add(digest, std::move(signal.values));
  for (const Parameter* p : network.parameters()) {
    if (!p->is_trained()) continue;
    std::vector<float> values;
    const std::size_t columns = p->is_matrix() ? p->shape[1] : 1;
    for (std::size_t r = 0; r < p->shape[0]; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        values.push_back(p->gradient[p->is_matrix() ? p->strips.offset(r, c) : r]);
      }
    }
    add(digest, std::move(values));
  }
  return digest.hex();
}

}  // namespace halfstep::internal
