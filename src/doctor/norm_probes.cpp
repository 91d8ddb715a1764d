// Kernels that normalise rows and columns.
#include "doctor/probe.hpp"

namespace halfstep::internal {
namespace {

using T = const Trial&;

constexpr float kEpsilon = 1e-5f;

template <Norm N>
RowStatistics row_of(const float* numbers) {
  return N == Norm::rms ? RowStatistics{0, 0, numbers[2]} : RowStatistics{numbers[0], numbers[1], numbers[2]};
}

template <Norm N>
void row_statistics(T t) {
  RowStatistics rows[2];
  float* const centred = t.round % 2 == 0 ? t.fp32(0) : nullptr;
  t.kernels.row_statistics[t.type()](N, t.n, t.stored(0), t.stored_ld(), kEpsilon, centred, ProbeMemory::kRoom, rows);
  for (std::size_t r = 0; r < 2; ++r) {
    float* const out = t.fp32(2) + 3 * r;
    out[0] = rows[r].mean, out[1] = rows[r].mean_low, out[2] = rows[r].rstd;
  }
}

template <Norm N>
void normalise(T t) {
  t.kernels.normalise[t.type()](t.n, t.stored(0), row_of<N>(t.fp32(3)), t.fp32(0), N == Norm::rms ? nullptr : t.fp32(1),
                                t.fp32(2));
}

template <Norm N>
void normalise_rows(T t) {
  const RowStatistics rows[] = {row_of<N>(t.fp32(4)), row_of<N>(t.fp32(4) + 3)};
  const StorageTarget y = {t.stored(0), t.stored_ld(), t.round % 3 != 0 ? t.stored(2) : nullptr, 2 * kLanes, t.dtype};
  t.kernels.normalise_rows[t.type()](t.activation, t.n, t.fp32(0), ProbeMemory::kRoom, rows, t.fp32(2),
                                     N == Norm::rms ? nullptr : t.fp32(3), y);
}

template <Norm N>
void normalise_backward(T t) {
  t.kernels.normalise_backward[t.type()](N, t.n, t.stored(0), row_of<N>(t.fp32(4)), t.fp32(0), t.fp32(1), t.fp32(2),
                                         N == Norm::rms ? nullptr : t.fp32(3));
}

void column_sums(T t) {
  t.kernels.column_sums[t.type()](2, t.n, t.stored(0), t.stored_ld(), t.fp32(0), t.fp32(1), t.fp32(2));
}

ColumnStatistics columns_at(T t, std::size_t first) {
  return {t.fp32(first), t.fp32(first + 1), t.fp32(first + 2), t.fp32(first + 3)};
}

void batch_statistics(T t) {
  t.kernels.batch_statistics(t.n, t.round + 1, t.fp32(0), t.fp32(1), t.fp32(2), kEpsilon, columns_at(t, 3));
}

void running_statistics(T t) { t.kernels.running_statistics(t.n, t.fp32(0), t.fp32(1), kEpsilon, columns_at(t, 2)); }

void update_running(T t) { t.kernels.update_running(t.n, t.round + 1, columns_at(t, 0), 0.1f, t.fp32(4), t.fp32(5)); }

void normalise_columns(T t) {
  t.kernels.normalise_columns[t.type()](t.n, t.stored(0), columns_at(t, 0), t.fp32(4), t.fp32(5), t.fp32(6));
}

void normalise_columns_sums(T t) {
  t.kernels.normalise_columns_sums[t.type()](t.n, t.stored(0), columns_at(t, 0), t.fp32(4), t.fp32(5), t.fp32(6));
}

void normalise_columns_backward(T t) {
  t.kernels.normalise_columns_backward[t.type()](t.n, t.round + 1, t.stored(0), columns_at(t, 0), t.fp32(4), t.fp32(5),
                                                 t.fp32(6), t.fp32(7));
}

constexpr Activation kOfRows[] = {Activation::identity, Activation::relu};

// See conversion_probes.cpp.
constexpr Probe kNorms[] = {
    {"row_statistics[layer]", kAllDtypes, {}, row_statistics<Norm::layer>, 3, 2, kAnyLength, kRangeExtent, 141},
    {"row_statistics[rms]", kAllDtypes, {}, row_statistics<Norm::rms>, 3, 2, kAnyLength, kRangeExtent, 141},
    {"normalise[layer]", kAllDtypes, {}, normalise<Norm::layer>, 4, 1, kAnyLength, kRangeExtent, 141},
    {"normalise[rms]", kAllDtypes, {}, normalise<Norm::rms>, 4, 1, kAnyLength, kRangeExtent, 141},
    {"normalise_rows[layer]", kAllDtypes, kOfRows, normalise_rows<Norm::layer>, 5, 3, kAnyLength, kRangeExtent, 141},
    {"normalise_rows[rms]", kAllDtypes, kOfRows, normalise_rows<Norm::rms>, 5, 3, kAnyLength, kRangeExtent, 141},
    {"normalise_backward[layer]", kAllDtypes, {}, normalise_backward<Norm::layer>, 5, 1, kAnyLength, kRangeExtent, 141},
    {"normalise_backward[rms]", kAllDtypes, {}, normalise_backward<Norm::rms>, 5, 1, kAnyLength, kRangeExtent, 141},
    {"column_sums", kAllDtypes, {}, column_sums, 3, 2, kAnyLength, kRangeExtent, 0},
    {"batch_statistics", kFp32Alone, {}, batch_statistics, 7, 0, kAnyLength, kRangeExtent, 0},
    {"running_statistics", kFp32Alone, {}, running_statistics, 6, 0, kAnyLength, kRangeExtent, 0},
    {"update_running", kFp32Alone, {}, update_running, 6, 0, kAnyLength, kRangeExtent, 0},
    {"normalise_columns", kAllDtypes, {}, normalise_columns, 7, 1, kAnyLength, kRangeExtent, 0},
    {"normalise_columns_sums", kAllDtypes, {}, normalise_columns_sums, 7, 1, kAnyLength, kRangeExtent, 0},
    {"normalise_columns_backward", kAllDtypes, {}, normalise_columns_backward, 8, 1, kAnyLength, kRangeExtent, 0},
};

}  // namespace

std::span<const Probe> norm_probes() { return kNorms; }

}  // namespace halfstep::internal
