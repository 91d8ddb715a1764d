// Kernels that sum up a range, update it, or turn logits into a loss.
#include <limits>

#include "doctor/probe.hpp"

namespace halfstep::internal {
namespace {

using T = const Trial&;

constexpr float kLimits[] = {std::numeric_limits<float>::infinity(), 1.0f, 0.0f};
float limit_of(T t) { return kLimits[t.round % 3]; }

void scan(T t) {
  const GradientScan found = t.kernels.scan[t.type()](t.n, t.stored(0), limit_of(t));
  t.returned()[0] = found.squares;
  t.returned()[1] = found.largest;
}

void adam(T t) {
  const bool decoupled = t.round % 2 == 0;
  const AdamParameters parameters = {.multiplier = 0.5f,
                                     .limit = limit_of(t),
                                     .beta1 = 0.9f,
                                     .beta2 = 0.999f,
                                     .one_minus_beta1 = 0.1f,
                                     .one_minus_beta2 = 0.001f,
                                     .step_size = 0.01f,
                                     .inv_sqrt_correction = 1.5f,
                                     .epsilon = 1e-8f,
                                     .decay = decoupled ? 0.999f : 1.0f,
                                     .l2 = decoupled ? 0.0f : 0.1f};
  t.kernels.adam(t.n, t.fp32(0), t.fp32(1), t.fp32(2), t.fp32(3), parameters);
}

void sgd(T t) {
  const SgdParameters parameters = {.multiplier = 0.5f,
                                    .limit = limit_of(t),
                                    .lr = 0.01f,
                                    .momentum = 0.9f,
                                    .l2 = 0.01f,
                                    .nesterov = t.round % 2 == 0};
  t.kernels.sgd(t.n, t.fp32(0), t.fp32(1), t.fp32(2), parameters);
}

void lion(T t) {
  const LionParameters parameters = {.multiplier = 0.5f,
                                     .limit = limit_of(t),
                                     .lr = 0.01f,
                                     .one_minus_beta1 = 0.1f,
                                     .one_minus_beta2 = 0.01f,
                                     .weight_decay = 0.1f};
  t.kernels.lion(t.n, t.fp32(0), t.fp32(1), t.fp32(2), parameters);
}

void dropout(T t) {
  constexpr std::uint32_t kDropped[] = {1, 32768, 65535};
  t.kernels.dropout(t.n, t.fp32(0), {3, t.round, t.round * kRandomGroup}, kDropped[t.round % 3]);
}

// Two rows and their panels.
StorageTarget pair(T t, std::size_t rows, std::size_t panels) {
  return {t.stored(rows), 144, t.stored(panels), 2 * kLanes, t.dtype};
}

void store_scaled(T t) {
  t.kernels.store_scaled[t.type()](t.n, t.fp32(0), t.fp32(1), t.fp32(2), t.fp32(3), pair(t, 0, 1));
}

void scaled_backward(T t) { t.kernels.scaled_backward(t.n, 2, t.fp32(0), t.fp32(1), 144, t.fp32(2), t.fp32(3)); }

void relu_dropout(T t) {
  t.kernels.relu_dropout[t.type()](t.n, t.stored(0), t.stored_ld(), {3, t.round, t.round * kRandomGroup},
                                   2 * kRandomGroup, 20000, pair(t, 2, 3));
}

void softmax_cross_entropy(T t) {
  const auto label = static_cast<std::int32_t>(t.round % t.n);
  t.returned()[0] = t.kernels.softmax_cross_entropy(t.n, t.fp32(0), label, 1024.0f, t.fp32(1));
}

void row_sums(T t) { t.kernels.row_sums[t.type()](2, t.n, t.stored(0), t.stored_ld(), t.returned()); }

// See conversion_probes.cpp.
constexpr Probe kRanges[] = {
    {"row_sums", kAllDtypes, {}, row_sums, 0, 2, kAnyLength, kRangeExtent, 141},
    {"scan", kAllDtypes, {}, scan, 0, 1, kAnyLength, kRangeExtent, 141},
    {"sum_squares",
     kFp32Alone,
     {},
     [](T t) { t.returned()[0] = t.kernels.sum_squares(t.n, t.fp32(0)); },
     1,
     0,
     kWholeLanes,
     kRangeExtent,
     144},
    {"add", kFp32Alone, {}, [](T t) { t.kernels.add(t.n, t.fp32(0), t.fp32(1)); }, 2, 0, kWholeLanes, kRangeExtent, 0},
    {"add_stored",
     kAllDtypes,
     {},
     [](T t) { t.kernels.add_stored[t.type()](t.n, t.stored(0), t.fp32(0)); },
     1,
     1,
     kWholeLanes,
     kRangeExtent,
     0},
    {"clamp",
     kFp32Alone,
     {},
     [](T t) { t.kernels.clamp(t.n, limit_of(t), t.fp32(0)); },
     1,
     0,
     kWholeLanes,
     kRangeExtent,
     0},
    {"adam", kFp32Alone, {}, adam, 4, 0, kWholeLanes, kRangeExtent, 0},
    {"sgd", kFp32Alone, {}, sgd, 3, 0, kWholeLanes, kRangeExtent, 0},
    {"lion", kFp32Alone, {}, lion, 3, 0, kWholeLanes, kRangeExtent, 0},
    {"store_scaled", kAllDtypes, {}, store_scaled, 4, 2, kWholeLanes, kRangeExtent, 0, false, true},
    {"scaled_backward", kFp32Alone, {}, scaled_backward, 4, 0, kWholeLanes, kRangeExtent, 0},
    {"dropout", kFp32Alone, {}, dropout, 1, 0, kWholeLanes, kRangeExtent, 0},
    {"relu_dropout", kAllDtypes, {}, relu_dropout, 0, 4, kWholeLanes, kRangeExtent, 0},
    {"softmax_cross_entropy", kFp32Alone, {}, softmax_cross_entropy, 2, 0, kAnyLength, kRangeExtent, 141},
    {"softmax",
     kFp32Alone,
     {},
     [](T t) { t.kernels.softmax(t.n, t.fp32(0), t.fp32(1)); },
     2,
     0,
     kAnyLength,
     kRangeExtent,
     141},
};

}  // namespace

std::span<const Probe> range_probes() { return kRanges; }

}  // namespace halfstep::internal
