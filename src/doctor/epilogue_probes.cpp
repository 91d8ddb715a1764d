// Activations, by themselves and behind a product.
#include <array>

#include "doctor/probe.hpp"

namespace halfstep::internal {
namespace {

using T = const Trial&;

constexpr auto kActivations = [] {
  std::array<Activation, kEnumNames<Activation>.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Activation>(i);
  return all;
}();

constexpr std::size_t kEpilogueRows = 4;  // of a tile; columns are any up to a block
constexpr std::size_t kColumns[] = {5, 16, 37, 64};
constexpr std::size_t kTile = kEpilogueRows * kBlockColumns;

StorageTarget target(T t, std::size_t rows, std::size_t panels, bool with_panels) {
  return {t.stored(rows), kBlockColumns, with_panels ? t.stored(panels) : nullptr, kEpilogueRows * kLanes, t.dtype};
}

void activate(T t) { t.kernels.activate[t.type()](t.activation, t.n, t.fp32(0), t.fp32(1)); }
void differentiate(T t) { t.kernels.differentiate[t.type()](t.activation, t.n, t.fp32(0), t.fp32(1), t.fp32(2)); }
void activate_stored(T t) { t.kernels.activate_stored[t.type()](t.activation, t.n, t.stored(0), t.stored(1)); }
void differentiate_stored(T t) {
  t.kernels.differentiate_stored[t.type()](t.activation, t.n, t.stored(0), t.stored(1), t.stored(2));
}

ForwardEpilogue forward_of(T t) {
  ForwardEpilogue e = {};
  e.tile = t.fp32(0);
  e.rows = kEpilogueRows;
  e.columns = t.n;
  e.bias = t.fp32(1);
  e.activation = t.activation;
  return e;
}

void forward_epilogue(T t) {
  ForwardEpilogue e = forward_of(t);
  e.y = target(t, 0, 1, t.round % 2 == 0);
  if (derivative_needs_input(t.activation) || t.round % 5 == 0) e.z = t.stored(2);
  e.z_ld = kBlockColumns;
  if (t.round % 3 == 0) e.skip = t.stored(3);
  e.skip_ld = kBlockColumns;
  e.skip_dtype = t.dtype;
  t.kernels.forward_epilogue[t.type()](e);
  t.clear(0);
}

void backward_epilogue(T t) {
  BackwardEpilogue e = {};
  e.tile = t.fp32(0);
  e.rows = kEpilogueRows;
  e.columns = t.n;
  e.activation = t.activation;
  e.saved = t.stored(0);
  e.saved_ld = kBlockColumns;
  e.saved_dtype = t.dtype;
  e.sums = t.fp32(1);
  e.d = target(t, 1, 2, t.round % 2 == 0);
  if (t.round % 3 != 0) e.d_y = t.fp32(2);
  e.d_y_ld = kBlockColumns;
  e.add_d_y = t.round % 3 == 1;
  e.keep_d_y = t.round % 3 != 0 && t.round % 2 == 0;
  e.factor = t.round % 4 == 0 ? 1.25f : 1.0f;
  t.kernels.backward_epilogue[t.type()](e);
  t.clear(0);
}

void logits_epilogue(T t) {
  ForwardEpilogue e = forward_of(t);
  e.logits = t.fp32(2);
  e.logits_ld = kBlockColumns;
  t.kernels.logits_epilogue(e);
  t.clear(0);
}

// See conversion_probes.cpp.
constexpr Probe kEpilogues[] = {
    {"activate", kAllDtypes, kActivations, activate, 2, 0, kAnyLength, kRangeExtent, 0, false, true},
    {"differentiate", kAllDtypes, kActivations, differentiate, 3, 0, kAnyLength, kRangeExtent, 0},
    {"activate_stored", kAllDtypes, kActivations, activate_stored, 0, 2, kAnyLength, kRangeExtent, 0, false, true},
    {"differentiate_stored", kAllDtypes, kActivations, differentiate_stored, 0, 3, kAnyLength, kRangeExtent, 0},
    {"forward_epilogue", kAllDtypes, kActivations, forward_epilogue, 2, 4, kColumns, kTile + kLanes, 0},
    {"backward_epilogue", kAllDtypes, kActivations, backward_epilogue, 3, 3, kColumns, kTile + kLanes, kTile, false,
     true},
    {"logits_epilogue", kFp32Alone, {}, logits_epilogue, 3, 0, kColumns, kTile + kLanes, 0},
};

}  // namespace

std::span<const Probe> epilogue_probes() { return kEpilogues; }

}  // namespace halfstep::internal
