#include "doctor/advice.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/rerun.hpp"
#include "doctor/stored_values.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

constexpr double kMuchFlushed = 0.2, kMuchUnchanged = 0.5, kLarge = 30;

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string percent(double of_one) { return short_number(100 * of_one, 3) + " %"; }

bool is_gradient(const std::string& tensor) { return tensor.ends_with(".d") || tensor.starts_with("gradient of"); }

// Of values that were not zero before.
double flushed_share(const TensorMeter& m) { return share(m.flushed, m.elements - m.exponents[0] - m.non_finite); }

// The largest power of two by which values could grow and still fit.
int headroom_bits(const TensorMeter& m) {
  int last = 254;
  while (last > 0 && m.exponents[static_cast<std::size_t>(last)] == 0) --last;
  const int most = m.storage == Dtype::fp16 ? 15 : 127;
  return last == 0 ? 0 : most - (last - 127);
}

std::string flushed_text(const TensorMeter& m, double loss_scale) {
  std::string text = percent(flushed_share(m)) + " of " + m.tensor + " becomes zero in " + std::string(name(m.storage));
  if (!is_gradient(m.tensor)) return text + ": --precision bf16, or --standardize auto where inputs are tiny";
  const int bits = headroom_bits(m) - 2;
  if (m.storage == Dtype::fp16 && bits > 0) {
    const double scale = loss_scale * std::exp2(bits);
    return text + ": a loss scale of " + number_text(scale) + " still fits, --loss-scale headroom finds it";
  }
  return text + ": " +
         (m.storage == Dtype::fp16 ? "--precision bf16" : "the gradient vanishes: --norm layer or --residual");
}

}  // namespace

std::vector<std::string> meter_findings(const MeterReport& meters) {
  std::vector<std::pair<double, std::string>> found;
  for (const TensorMeter& m : meters.tensors) {
    if (m.tensor.starts_with("gradient of")) continue;  // in fp32, whatever a type would do to it
    const double saturated = share(m.saturated, m.elements), flushed = flushed_share(m);
    if (saturated > 0) {
      found.emplace_back(2 + saturated, percent(saturated) + " of " + m.tensor + " becomes infinite in " +
                                            std::string(name(m.storage)) +
                                            (is_gradient(m.tensor) ? ": a smaller loss scale, or --loss-scale headroom"
                                                                   : ": --precision bf16, which has fp32's range"));
    }
    if (flushed > kMuchFlushed) found.emplace_back(1 + flushed, flushed_text(m, meters.loss_scale));
  }
  for (const UpdateMeter& u : meters.updates) {
    const double unchanged = share(u.unchanged, u.weights);
    if (unchanged <= kMuchUnchanged) continue;
    // With fp32 masters the update is kept there until it shows.
    found.emplace_back(unchanged, percent(unchanged) + " of the " + std::string(name(u.storage)) + " weights of " +
                                      u.tensor +
                                      " were the same after the update: it is kept by --master fp32 or kahan, and lost "
                                      "without; --master stochastic keeps it in the mean");
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> out;
  for (auto& [weight, text] : found) out.push_back(std::move(text));
  return out;
}

std::vector<std::string> weight_findings(const std::vector<NamedTensor>& tensors, Dtype storage) {
  std::vector<std::string> out;
  for (const NamedTensor& t : tensors) {
    const auto bad = std::count_if(t.values.begin(), t.values.end(), [](float v) { return !std::isfinite(v); });
    if (bad > 0) out.push_back(std::to_string(bad) + " values of " + t.name + " are not finite: the model is lost");
    const auto beyond = std::count_if(t.values.begin(), t.values.end(), [&](float v) {
      return std::isfinite(v) && std::fabs(static_cast<double>(v)) >= rounds_to_infinity(storage);
    });
    if (beyond > 0) {
      out.push_back(std::to_string(beyond) + " values of " + t.name + " do not fit " + std::string(name(storage)) +
                    ": train with --precision bf16");
    }
    if (t.shape.size() != 2 || bad > 0) continue;
    // A fresh layer keeps the size of what goes through it: weights of about 1 / sqrt(fan-in).
    const double fresh = std::sqrt(2.0 / static_cast<double>(t.shape[1]));
    const double size = root_mean_square(t.values);
    if (size > kLarge * fresh) {
      out.push_back(t.name + " is about " + short_number(size, 3) + ", " + short_number(size / fresh, 3) +
                    " times a fresh layer's: a smaller --lr, or more --weight-decay");
    }
  }
  return out;
}

TensorMeter meter_of(const NamedTensor& tensor, Dtype storage, const KernelTable& kernels) {
  TensorMeter meter;
  meter.tensor = tensor.name;
  meter.storage = storage;
  count_storage(kernels, tensor.values.size(), tensor.values.data(), meter);
  return meter;
}

}  // namespace halfstep::internal
