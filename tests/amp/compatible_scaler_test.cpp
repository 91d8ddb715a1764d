// The compatible scaler against PyTorch 2.13's own: scale and tracker after every event, bit for bit.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <vector>

#include "amp/grad_scaler.hpp"
#include "base/fp_env.hpp"
#include "halfstep/error.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

GradScalerOptions compatible(double initial, double growth, double backoff, std::int64_t interval) {
  GradScalerOptions options = compatible_scaler();
  options.initial = initial;
  options.growth_factor = growth;
  options.backoff_factor = backoff;
  options.growth_interval = interval;
  return options;
}

// The scale as fp32 bits: a float would lose its subnormals on the way where they are flushed.
std::uint32_t scale_bits(const GradScaler& scaler) {
  const double scale = scaler.state().scale;
  if (scale >= 0x1p-126) return std::bit_cast<std::uint32_t>(static_cast<float>(scale));
  return static_cast<std::uint32_t>(scale * 0x1p149);
}

struct Golden {
  std::uint64_t seed;
  int events;
  std::uint64_t bad_per_mille;
  double initial;
  double growth, backoff;
  std::int64_t interval;
  std::uint32_t scale_bits;  // at the end
  std::int64_t tracker;      // at the end
  std::uint64_t digest;      // FNV-1a over (scale bits, tracker) after each event
};

// torch._amp_update_scale_(scale, tracker, found_inf, growth, backoff, interval) on CPU tensors; an event is bad when
// (x >> 33) % 1000 < bad_per_mille, x = 6364136223846793005 x + 1442695040888963407 from x = seed.
constexpr Golden kGolden[] = {
    {1, 4100, 0, 0x1p+16, 2.0, 0.5, 2000, 0x48800000u, 100, 0xbfa81a6b013faf79u},
    {2, 9000, 1, 0x1p+16, 2.0, 0.5, 2000, 0x45800000u, 1624, 0xeb53925ed49c9e7du},
    {3, 2000, 300, 0x1p+16, 2.0, 0.5, 3, 0x0u, 0, 0x58e53bd733e30e8bu},
    {4, 2000, 500, 0x1p+16, 2.0, 0.5, 1, 0x37800000u, 0, 0x7e30f2c483186ba5u},
    {5, 2000, 400, 0x1p+16, 2.0, 0.5, 1, 0x7e800000u, 0, 0xbef3566984186ba5u},
    {6, 600, 700, 0x1p+16, 2.0, 0.5, 1, 0x0u, 0, 0x61643efbf9ec57d2u},
    {7, 400, 0, 0x1p+16, 2.0, 0.5, 2, 0x7f000000u, 0, 0x776b8f0b006f8ae5u},
    {8, 3000, 100, 0x1p+16, 4.0, 0.25, 5, 0x7e800000u, 0, 0x7ba4e1117459adc7u},
    {9, 3000, 250, 0x1p+16, 1.5, 0.75, 4, 0x172feaaau, 2, 0x8aa6f07d0c43d120u},
    {10, 3000, 400, 0x1p+16, 1.001, 0.999, 2, 0x47191f98u, 0, 0x9a30c1ca66c3fef5u},
    {11, 3000, 200, 0x1.8p+1, 1.7, 0.3, 2, 0x0u, 1, 0x0ea1df00764a272fu},
    {12, 500, 900, 0x1p+0, 2.0, 0.5, 3, 0x0u, 0, 0x3b14672171940f00u},
    {13, 500, 450, 0x1p-140, 2.0, 0.5, 2, 0x0u, 0, 0xf86648a9e8734224u},
    {14, 300, 300, 0x1p-126, 1.5, 0.7, 1, 0x2254eec4u, 0, 0xcf8b964e831061dbu},
    {15, 500, 500, 0x1p+127, 2.0, 0.5, 1, 0x6d800000u, 0, 0xc0dd873e0417a745u},
    {16, 2000, 300, 0x1.c363ccp127f, 1.1, 0.9, 1, 0x7f59c71du, 0, 0x35d190d05cd0d6a1u},
    {17, 5000, 20, 0x1p+24, 2.0, 0.5, 100, 0x2a000000u, 3, 0x156ece40eb46bf55u},
    {18, 3000, 150, 0x1.99999ap-4, 2.0, 0.5, 7, 0x0u, 4, 0xdc7e038e917b949du},
    {19, 800, 500, 0x1.16c2p-133, 1.3, 0.9, 1, 0x2484f8c7u, 0, 0x2618fbeaa49968e8u},
    {20, 5000, 60, 0x1p+16, 8.0, 0.125, 10, 0x7a800000u, 3, 0x07a77c31089a8cd6u},
};

void run(const Golden& golden) {
  CAPTURE(golden.seed);
  GradScaler scaler(compatible(golden.initial, golden.growth, golden.backoff, golden.interval));
  std::uint64_t x = golden.seed, digest = 0xcbf29ce484222325u;
  for (int i = 0; i < golden.events; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    scaler.update((x >> 33) % 1000 >= golden.bad_per_mille, false);
    for (const std::uint64_t word : {std::uint64_t{scale_bits(scaler)}, std::uint64_t(scaler.growth_tracker())}) {
      digest = (digest ^ word) * 0x100000001b3u;
    }
  }
  CHECK(scale_bits(scaler) == golden.scale_bits);
  CHECK(scaler.growth_tracker() == golden.tracker);
  CHECK(digest == golden.digest);
}

TEST_CASE("compatible scaler: the sequences of PyTorch, in the host's environment and in that of a step") {
  for (const Golden& golden : kGolden) run(golden);
  const FpEnvGuard flushing;
  for (const Golden& golden : kGolden) run(golden);
}

TEST_CASE("compatible scaler: its defaults are those of torch.amp.GradScaler, and its state has the same fields") {
  const GradScalerState state = GradScaler(compatible_scaler()).state();
  CHECK(state.scale == 65536);
  CHECK(state.growth_factor == 2);
  CHECK(state.backoff_factor == 0.5);
  CHECK(state.growth_interval == 2000);
  CHECK(state.growth_tracker == 0);
}

TEST_CASE("compatible scaler: no floor above zero, no growth beyond fp32") {
  GradScaler falling(compatible(1, 2, 0.5, 3));
  for (int i = 0; i < 149; ++i) falling.update(false);
  CHECK(falling.state().scale == 0x1p-149);
  CHECK_FALSE(falling.at_minimum());
  falling.update(false);
  CHECK(falling.state().scale == 0);
  CHECK(falling.at_minimum());
  GradScaler rising(compatible(0x1p126f, 2, 0.5, 1));
  for (int i = 0; i < 5; ++i) rising.update(true);
  CHECK(rising.scale() == 0x1p127f);
  CHECK(rising.growth_tracker() == 0);
}

// torch: a tracker of 5 with an interval of 3 goes on to 6, 7, 8, 9 and the scale stays.
TEST_CASE("compatible scaler: grows when the tracker equals the interval, and not beyond it") {
  GradScaler scaler(compatible(1, 2, 0.5, 3));
  GradScalerState state = scaler.state();
  state.growth_tracker = 5;
  scaler.load(state);
  for (int i = 0; i < 4; ++i) scaler.update(true);
  CHECK(scaler.growth_tracker() == 9);
  CHECK(scaler.scale() == 1);
}

TEST_CASE("compatible scaler: setting the scale by hand leaves the tracker") {
  GradScaler scaler(compatible(65536, 2, 0.5, 3));
  scaler.update(true);
  scaler.update(true);
  scaler.set_scale(8);
  CHECK(scaler.growth_tracker() == 2);
  scaler.update(true);
  CHECK(scaler.scale() == 16);
}

// torch: torch.full((), s).double().reciprocal().float()
TEST_CASE("compatible scaler: the reciprocal is taken in double and rounded once") {
  CHECK(GradScaler(compatible(3, 2, 0.5, 1)).inv_scale() == 0x1.555556p-2f);
  CHECK(GradScaler(compatible(0.1f, 2, 0.5, 1)).inv_scale() == 10);
  CHECK(GradScaler(compatible(0x1.19999ap16f, 2, 0.5, 1)).inv_scale() == 0x1.d1745cp-17f);
  CHECK(GradScaler(compatible(0x1.16c2p-133, 2, 0.5, 1)).inv_scale() == std::numeric_limits<float>::infinity());
}

TEST_CASE("scaler: a loaded state continues as the saved one, and an impossible one is refused") {
  GradScalerOptions options;
  options.growth_interval = 3;
  options.hysteresis = 3;
  GradScaler a(options), b(options);
  for (bool finite : {true, false, true, true}) a.update(finite);
  b.load(a.state());
  for (bool finite : {true, false, false, true, false, true, true, true, false}) {
    a.update(finite);
    b.update(finite);
    CHECK(a.scale() == b.scale());
    CHECK(a.growth_tracker() == b.growth_tracker());
  }
  CHECK_THROWS_AS(a.load({}), Error);
  for (double scale : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    GradScalerState bad = b.state();
    bad.scale = scale;
    CHECK_THROWS_AS(a.load(bad), Error);
  }
  GradScalerState bad = b.state();
  bad.growth_tracker = -1;
  CHECK_THROWS_AS(a.load(bad), Error);
  CHECK(a.scale() == b.scale());
}

}  // namespace
