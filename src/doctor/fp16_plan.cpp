#include "doctor/fp16_plan.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/storage_forecast.hpp"

namespace halfstep::internal {
namespace {

constexpr double kGoal = 16384;  // two bits below the end of fp16
// Beyond these shares a tensor has lost what it had to say.
constexpr double kTooMuchFlushed = 0.2, kTooMuchNarrowed = 0.5;
constexpr int kLeastHeadroom = 1;  // of values that training has not yet made larger

TensorMeter times_power(const TensorMeter& wide, int bits) {
  if (bits == 0) return wide;
  TensorMeter out = wide;
  std::fill(out.exponents.begin() + 1, out.exponents.begin() + 255, 0);
  for (int i = 1; i < 255; ++i) {
    out.exponents[static_cast<std::size_t>(std::clamp(i + bits, 1, 254))] +=
        wide.exponents[static_cast<std::size_t>(i)];
  }
  return out;
}

bool keeps_enough(const StorageLoss& loss) {
  return loss.saturated == 0 && loss.flushed <= kTooMuchFlushed && loss.flushed + loss.subnormal <= kTooMuchNarrowed;
}

bool suits(const PreflightTensor& t, Dtype storage, int bits) {
  if (!t.gradient) {
    const StorageLoss loss = storage_loss(t.wide, storage);
    return keeps_enough(loss) && loss.headroom >= kLeastHeadroom;
  }
  const bool room = storage != Dtype::fp16 || std::ldexp(t.largest, bits) <= kGoal;
  return room && keeps_enough(storage_loss(t.wide, storage, bits));
}

std::vector<bool> layers_that_fit(const std::vector<PreflightTensor>& tensors, std::size_t layers, Dtype storage,
                                  int bits) {
  std::vector<bool> fit(layers, true);
  for (const PreflightTensor& t : tensors) {
    const auto layer = static_cast<std::size_t>(t.layer);
    if (t.stored && layer < layers && fit[layer]) fit[layer] = suits(t, storage, bits);
  }
  return fit;
}

// Of a network no layer of which fits: what its gradients alone call for.
double scale_of_gradients(const std::vector<PreflightTensor>& tensors, double least, double most) {
  double largest = 0;
  for (const PreflightTensor& t : tensors) {
    if (t.gradient && t.stored) largest = std::max(largest, t.largest);
  }
  return largest > 0 ? std::clamp(std::exp2(std::floor(std::log2(kGoal / largest))), least, most) : least;
}

}  // namespace

StorageLoss storage_loss(const TensorMeter& wide, Dtype storage, int bits) {
  const TensorMeter m = forecast(times_power(wide, bits), storage);
  const auto values = static_cast<double>(m.elements - m.exponents[0] - m.non_finite);
  int last = 254;
  while (last > 0 && m.exponents[static_cast<std::size_t>(last)] == 0) --last;
  if (values <= 0 || last == 0) return {.headroom = storage == Dtype::fp16 ? 15 : 127};
  return {static_cast<double>(m.flushed) / values, static_cast<double>(m.subnormal) / values,
          static_cast<double>(m.saturated) / values, (storage == Dtype::fp16 ? 15 : 127) - (last - 127)};
}

Fp16Plan plan_fp16(const std::vector<PreflightTensor>& tensors, std::size_t layers, double least, double most) {
  std::vector<bool> kept(layers, false);
  std::ptrdiff_t best = -1;
  Fp16Plan plan;
  const int first = std::ilogb(most), last = std::ilogb(least);
  for (int bits = first; bits >= last; --bits) {
    std::vector<bool> fit = layers_that_fit(tensors, layers, Dtype::fp16, bits);
    const std::ptrdiff_t count = std::count(fit.begin(), fit.end(), true);
    if (count <= best) continue;
    best = count;
    kept = std::move(fit);
    plan.loss_scale = std::ldexp(1.0, bits);
  }
  if (best == 0) plan.loss_scale = scale_of_gradients(tensors, least, most);
  const std::vector<bool> fit_bf16 = layers_that_fit(tensors, layers, Dtype::bf16, std::ilogb(plan.loss_scale));
  for (std::size_t i = 0; i < layers; ++i) {
    if (!kept[i]) plan.lift.push_back({static_cast<std::int64_t>(i), fit_bf16[i] ? Dtype::bf16 : Dtype::fp32});
  }
  return plan;
}

}  // namespace halfstep::internal
