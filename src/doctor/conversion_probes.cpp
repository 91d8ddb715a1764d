// Kernels that move numbers between types and layouts.
#include "doctor/probe.hpp"

namespace halfstep::internal {
namespace {

using T = const Trial&;

void widen_rows(T t) {
  t.kernels.widen_rows[t.type()](2, t.n, t.stored(0), t.stored_ld(), t.fp32(0), ProbeMemory::kRoom);
}

void store_rows(T t) {
  const StorageTarget target = {t.stored(0), t.stored_ld(), t.round % 2 == 0 ? t.stored(2) : nullptr, 2 * kLanes,
                                t.dtype};
  t.kernels.store_rows[t.type()](t.n, t.fp32(0), t.fp32(1), target);
}

void pack_strip(T t) {
  void* const backward = t.round % 2 == 0 ? t.stored(1) : nullptr;
  t.kernels.pack_strip[t.type()](t.n, t.fp32(0), t.stored(0), backward, kLanes * kLanes);
}

void bytes_to_fp32(T t) {
  t.kernels.bytes_to_fp32(t.n, static_cast<const std::uint8_t*>(t.stored(0)), t.fp32(0)[0], t.fp32(0)[1], t.fp32(1));
}

void round_stochastic(T t) {
  t.kernels.round_stochastic[t.type()](t.n, t.fp32(0), {3, t.round, t.round * kRandomGroup});
}

// Name, dtypes, activations, call, fp32 and stored arrays, lengths, extent, reduced, NaN by their bits.
constexpr Probe kConversions[] = {
    {"from_fp32",
     kAllDtypes,
     {},
     [](T t) { t.kernels.from_fp32[t.type()](t.n, t.fp32(0), t.stored(0)); },
     1,
     1,
     kAnyLength,
     kRangeExtent,
     0,
     true},
    {"to_fp32",
     kAllDtypes,
     {},
     [](T t) { t.kernels.to_fp32[t.type()](t.n, t.stored(0), t.fp32(0)); },
     1,
     1,
     kAnyLength,
     kRangeExtent,
     0,
     true},
    {"bytes_to_fp32", kFp32Alone, {}, bytes_to_fp32, 2, 1, kAnyLength, kRangeExtent, 0},
    {"widen_rows", kAllDtypes, {}, widen_rows, 2, 2, kWholeLanes, kRangeExtent, 0, true},
    {"widen_panel",
     kAllDtypes,
     {},
     [](T t) { t.kernels.widen_panel[t.type()](t.n, t.stored(0), t.fp32(0)); },
     1,
     1,
     kBlockLengths,
     kBlockExtent,
     0,
     true},
    {"store_rows", kAllDtypes, {}, store_rows, 2, 3, kWholeLanes, kRangeExtent, 0, true},
    {"pack_strip", kAllDtypes, {}, pack_strip, 1, 2, kBlockLengths, kBlockExtent, 0, true},
    {"unpack_strip",
     kAllDtypes,
     {},
     [](T t) { t.kernels.unpack_strip[t.type()](t.n, t.stored(0), t.fp32(0)); },
     1,
     1,
     kBlockLengths,
     kBlockExtent,
     0,
     true},
    {"round_stochastic", kAllDtypes, {}, round_stochastic, 1, 0, kWholeLanes, kRangeExtent, 0},
    {"split",
     kAllDtypes,
     {},
     [](T t) { t.kernels.split[t.type()](t.n, t.fp32(0), t.stored(0)); },
     1,
     1,
     kWholeLanes,
     kRangeExtent,
     0},
};

}  // namespace

std::span<const Probe> conversion_probes() { return kConversions; }

}  // namespace halfstep::internal
