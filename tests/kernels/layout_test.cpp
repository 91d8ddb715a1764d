// The layout contract of kernels/table.hpp: panels, rows and strips against plain index loops.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// Storage memory whose every element is expected to hold something: what put() names, or still the canary.
class Expectation {
 public:
  Expectation(Dtype dtype, std::size_t elements)
      : dtype_(dtype), got_(elements * size_of(dtype)), expected_(elements * size_of(dtype)), elements_(elements) {
    std::memset(got_.data(), kCanary, got_.size());
    std::memset(expected_.data(), kCanary, expected_.size());
  }
  void* memory() { return got_.data(); }
  void put(std::size_t index, float value) { test::put(dtype_, expected_.data(), index, value); }
  template <class... Context>
  void check(Mismatches& wrong, const Context&... context) const {
    for (std::size_t i = 0; i < elements_; ++i) {
      const std::uint32_t got = raw(dtype_, got_.data(), i), expected = raw(dtype_, expected_.data(), i);
      if (got != expected)
        wrong.add(context..., " ", name(dtype_), " element ", i, ": ", hex(got), " not ", hex(expected));
    }
  }

 private:
  Dtype dtype_;
  AlignedBuffer<unsigned char> got_, expected_;
  std::size_t elements_;
};

// `widen` gives values [k][columns] in the order that tiles want, of a pair of bf16 the odd k first, and writes nothing
// behind them.
template <class Widen>
void check_widened(Mismatches& wrong, const KernelTable& kernels, Dtype dtype, std::size_t k, std::size_t columns,
                   const AlignedBuffer<float>& values, Widen widen) {
  AlignedBuffer<float> out((k + 2) * columns);
  std::memset(out.data(), kCanary, out.size() * 4);
  widen(out.data());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t row = i / columns, source = dtype == Dtype::bf16 ? row ^ 1 : row;
    const std::uint32_t stored = row < k ? rounded(dtype, values[source * columns + i % columns]) : 0;
    const std::uint32_t expected = row < k ? bits_of(get(dtype, &stored, 0)) : 0x01010101u * kCanary;
    if (bits_of(out[i]) == expected) continue;
    wrong.add(kernels.name, " ", name(dtype), " k ", k, " element ", i, ": ", hex(bits_of(out[i])), " not ",
              hex(expected));
  }
}

TEST_CASE("kernels: widen_panel follows the panel order, widen_rows the rows") {
  for (Dtype dtype : kEachDtype) {
    const AlignedBuffer<float> values = random_floats(64 * kLanes, 1, 1000.0f);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      const FpEnvGuard guard;
      Mismatches wrong;
      for (std::size_t k = 0; k <= 64; k += 2) {
        AlignedBuffer<unsigned char> panel(64 * kLanes * size_of(dtype));
        for (std::size_t i = 0; i < k * kLanes; ++i) {
          put(dtype, panel.data(), panel_index(dtype, i / kLanes, i % kLanes, 0), values[i]);
        }
        check_widened(wrong, kernels, dtype, k, kLanes, values,
                      [&](float* out) { kernels.widen_panel[index_of(dtype)](k, panel.data(), out); });
      }
      for (std::size_t k = 0; k <= values.size(); k += kLanes) {
        AlignedBuffer<unsigned char> row(values.size() * size_of(dtype));
        for (std::size_t i = 0; i < k; ++i) put(dtype, row.data(), i, values[i]);
        check_widened(wrong, kernels, dtype, k, 1, values,
                      [&](float* out) { kernels.widen_rows[index_of(dtype)](1, k, row.data(), 0, out, 0); });
      }
      // Rows apart on both sides: [2][16] of each 48, to each 32.
      AlignedBuffer<unsigned char> rows(2 * 48 * size_of(dtype));
      for (std::size_t i = 0; i < 2 * 48; ++i) put(dtype, rows.data(), i, values[i]);
      AlignedBuffer<float> one(kLanes), both(2 * 32);
      kernels.widen_rows[index_of(dtype)](2, kLanes, rows.data(), 48, both.data(), 32);
      for (std::size_t r = 0; r < 2; ++r) {
        kernels.widen_rows[index_of(dtype)](1, kLanes, rows.data() + r * 48 * size_of(dtype), 0, one.data(), 0);
        CHECK(std::equal(one.begin(), one.end(), both.data() + r * 32));
        CHECK(std::all_of(both.data() + r * 32 + kLanes, both.data() + (r + 1) * 32, [](float x) { return x == 0; }));
      }
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

void check_store_rows(Mismatches& wrong, const KernelTable& kernels, Dtype dtype, std::size_t columns, bool panels) {
  const AlignedBuffer<float> row0 = random_floats(columns, 2, 100.0f), row1 = random_floats(columns, 3, 1e-5f);
  const std::size_t ld = columns + 16, stride = 6 * kLanes;
  Expectation in_rows(dtype, 3 * ld), in_panels(dtype, (columns / kLanes + 1) * stride);
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t r = 0; r < 2; ++r) {
      const float value = r == 0 ? row0[c] : row1[c];
      in_rows.put(r * ld + c, value);
      if (panels) in_panels.put(panel_index(dtype, r, c, stride), value);
    }
  }
  const StorageTarget target = {in_rows.memory(), ld, panels ? in_panels.memory() : nullptr, stride, dtype};
  kernels.store_rows[index_of(dtype)](columns, row0.data(), row1.data(), target);
  in_rows.check(wrong, kernels.name, " store_rows to rows, columns ", columns);
  in_panels.check(wrong, kernels.name, " store_rows to panels, columns ", columns);
}

TEST_CASE("kernels: store_rows writes rows, panels where wanted, and nothing else") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t columns = 16; columns <= 96; columns += 16) {
        check_store_rows(wrong, kernels, dtype, columns, true);
        check_store_rows(wrong, kernels, dtype, columns, false);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

void check_pack_strip(Mismatches& wrong, const KernelTable& kernels, Dtype dtype, std::size_t columns, bool backward) {
  const AlignedBuffer<float> master = random_floats(kLanes * columns, 4, 3.0f);
  const std::size_t stride = 3 * kLanes * kLanes;
  Expectation forward(dtype, (columns + 2) * kLanes), back(dtype, columns / kLanes * stride);
  for (std::size_t out = 0; out < kLanes; ++out) {
    for (std::size_t in = 0; in < columns; ++in) {
      const float value = master[out * columns + in];
      forward.put(panel_index(dtype, in, out, 0), value);
      if (backward) back.put(panel_index(dtype, out, in, stride), value);
    }
  }
  kernels.pack_strip[index_of(dtype)](columns, master.data(), forward.memory(), backward ? back.memory() : nullptr,
                                      stride);
  forward.check(wrong, kernels.name, " pack_strip forward, columns ", columns);
  back.check(wrong, kernels.name, " pack_strip backward, columns ", columns);
}

TEST_CASE("kernels: pack_strip writes both packed forms, or the forward one alone") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t columns = 16; columns <= kBlockColumns; columns += 16) {
        check_pack_strip(wrong, kernels, dtype, columns, true);
        check_pack_strip(wrong, kernels, dtype, columns, false);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
