#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr RandomPlace kPlace = {0x123456789abcdefull, 0xfedcba987654321ull, 128 * 7};

TEST_CASE("kernels: dropout follows the counter-based numbers, element by element") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    const std::uint32_t border = random16(kPlace, kPlace.first + 5);  // kept by the first, dropped by the second
    for (std::uint32_t dropped : {1u, 6554u, 32768u, 65535u, border, border + 1}) {
      for (std::size_t n : {16, 112, 128, 144, 400}) {
        AlignedBuffer<float> x = random_floats(n + 16, 70);
        const AlignedBuffer<float> before = random_floats(n + 16, 70);
        kernels.dropout(n, x.data(), kPlace, dropped);
        const float factor = 65536.0f / static_cast<float>(65536 - dropped);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const float kept = i < n ? before[i] * factor : before[i];
          const float want = i < n && random16(kPlace, kPlace.first + i) < dropped ? 0 : kept;
          if (x[i] != want) wrong.add(kernels.name, " ", dropped, " at ", i, " of ", n, ": ", x[i], " not ", want);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: dropout keeps the share it should, and the mean") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    constexpr std::size_t kMany = 1 << 16;
    for (double p : {0.1, 0.5, 0.9}) {
      AlignedBuffer<float> x(kMany);
      for (float& v : x) v = 1;
      kernels.dropout(kMany, x.data(), {5, 6, 0}, static_cast<std::uint32_t>(p * 65536));
      double zeros = 0, sum = 0;
      for (float v : x) zeros += v == 0, sum += v;
      const double deviation = std::sqrt(p * (1 - p) / kMany);
      CHECK(std::fabs(zeros / kMany - p) < 4 * deviation);
      CHECK(std::fabs(sum / kMany - 1) < 4 * deviation / (1 - p));
    }
  });
}

TEST_CASE("kernels: dropout does not depend on how a range is cut, nor on the ISA; another place is another mask") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    AlignedBuffer<float> whole = random_floats(1040, 71), parts = random_floats(1040, 71);
    scalar.dropout(1040, whole.data(), {1, 2, 256}, 20000);
    for (std::size_t first : {512, 0, 384, 1024, 128, 256}) {
      const std::size_t end = first == 512 ? 1024 : std::min<std::size_t>(1040, first + 128);
      kernels.dropout(end - first, parts.data() + first, {1, 2, 256 + first}, 20000);
    }
    std::size_t differing = 0;
    for (std::size_t i = 0; i < 1040; ++i) differing += !same_bits(whole[i], parts[i]);
    CHECK(differing == 0);
    for (const RandomPlace& other : {RandomPlace{2, 2, 256}, RandomPlace{1, 3, 256}, RandomPlace{1, 2, 384}}) {
      AlignedBuffer<float> x = random_floats(1040, 71);
      kernels.dropout(1040, x.data(), other, 20000);
      std::size_t same = 0;
      for (std::size_t i = 0; i < 1040; ++i) same += same_bits(whole[i], x[i]);
      CHECK(same < 800);
    }
  });
}

TEST_CASE("kernels: dropout does not hide NaN and inf") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (float bad : {kNan, kInf, -kInf}) {
      AlignedBuffer<float> x(256);
      for (float& v : x) v = bad;
      kernels.dropout(256, x.data(), {1, 2, 0}, 32768);
      std::size_t finite = 0;
      for (float v : x) finite += std::isfinite(v);
      CHECK(finite == 0);
    }
  });
}

// Beside the plain kernels, one after the other.
void check_relu_dropout(Mismatches& wrong, const KernelTable& kernels, Dtype dtype, std::size_t columns) {
  const KernelTable& plain = *isas().front().table;
  const std::size_t ld = columns + 16, next = 5 * kRandomGroup;
  AlignedBuffer<float> x = random_floats(2 * ld, 72), wide(2 * ld);
  x[3] = kNan;
  x[ld + 5] = kInf;
  AlignedBuffer<std::byte> z(4 * x.size()), rows[2], panels[2];
  plain.from_fp32[index_of(dtype)](x.size(), x.data(), z.data());
  plain.to_fp32[index_of(dtype)](x.size(), z.data(), wide.data());
  plain.activate[index_of(dtype)](Activation::relu, wide.size(), wide.data(), wide.data());
  StorageTarget y[2];
  for (std::size_t i = 0; i < 2; ++i) {
    rows[i] = AlignedBuffer<std::byte>(4 * x.size());
    panels[i] = AlignedBuffer<std::byte>(4 * x.size());
    y[i] = {rows[i].data(), ld, panels[i].data(), 2 * kLanes, dtype};
  }
  for (std::size_t row = 0; row < 2; ++row) {
    const RandomPlace place = {kPlace.seed, kPlace.stream, kPlace.first + row * next};
    plain.dropout(columns, wide.data() + row * ld, place, 20000);
  }
  plain.store_rows[index_of(dtype)](columns, wide.data(), wide.data() + ld, y[0]);
  kernels.relu_dropout[index_of(dtype)](columns, z.data(), ld, kPlace, next, 20000, y[1]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (raw(dtype, rows[0].data(), i) != raw(dtype, rows[1].data(), i))
      wrong.add(kernels.name, " ", name(dtype), " ", columns, " columns, rows at ", i);
    if (raw(dtype, panels[0].data(), i) != raw(dtype, panels[1].data(), i))
      wrong.add(kernels.name, " ", name(dtype), " ", columns, " columns, panels at ", i);
  }
}

TEST_CASE("kernels: ReLU and dropout of two rows at once, in both layouts") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) {
      for (std::size_t columns : {16, 112, 128, 144, 400}) check_relu_dropout(wrong, kernels, dtype, columns);
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
