// What the kernel benchmark calls and counts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/fp_env.hpp"
#include "bench/bandwidth.hpp"
#include "bench/caches.hpp"
#include "bench/kernel_arrays.hpp"
#include "gemm/blocking.hpp"
#include "halfstep/bench.hpp"
#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kElements = 2 * kPieceGrain;

// One array of a piece.
struct View {
  ArrayUse use;
  std::byte* data;
  std::size_t bytes;
};

std::vector<View> views(const KernelRow& row, const KernelPiece& piece) {
  std::vector<View> out;
  for (std::size_t i = 0; i < kFp32Arrays; ++i) {
    if (row.fp32[i] != ArrayUse::none)
      out.push_back({row.fp32[i], reinterpret_cast<std::byte*>(piece.fp32[i]), 4 * piece.elements});
  }
  for (std::size_t i = 0; i < kStoredArrays; ++i) {
    if (row.stored[i] != ArrayUse::none)
      out.push_back({row.stored[i], piece.stored[i], size_of(piece.dtype) * piece.elements});
  }
  return out;
}

// Bytes of every array after one call on the first piece. What is only written starts as canaries.
std::vector<std::vector<std::byte>> after_call(const KernelRow& row, Dtype dtype, const KernelTable& kernels) {
  KernelArrays arrays(row, dtype, kElements);
  const KernelPiece piece = arrays.piece(kernels, 0);
  const FpEnvGuard guard;
  for (const View& view : views(row, piece)) {
    if (view.use == ArrayUse::write) std::memset(view.data, kCanary, view.bytes);
  }
  row.run(piece);
  std::vector<std::vector<std::byte>> out;
  for (const View& view : views(row, piece)) out.emplace_back(view.data, view.data + view.bytes);
  return out;
}

std::size_t differing(const std::vector<std::byte>& a, const std::byte* b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

template <class F>
void for_each_row(F f) {
  for (const KernelRow& row : kernel_rows()) {
    for (const Dtype dtype : row.dtypes) {
      INFO(std::string(row.name) << " " << std::string(name(dtype)));
      f(row, dtype);
    }
  }
}

KernelBenchRequest small(const char* kernel, Dtype dtype = Dtype::fp32) {
  KernelBenchRequest r;
  r.kernel = kernel;
  r.dtype = dtype;
  r.elements = 1000;
  r.repetitions = 1;
  return r;
}

Status refused(const KernelBenchRequest& request) {
  try {
    bench_kernel(request);
  } catch (const Error& error) {
    return error.status();
  }
  return Status::ok;
}

}  // namespace

TEST_CASE("kernel bench: a kernel reads and writes the arrays that its row names, whole") {
  std::set<std::string_view> names;
  for (const KernelRow& row : kernel_rows()) CHECK(names.insert(row.name).second);
  for_each_row([](const KernelRow& row, Dtype dtype) {
    KernelArrays untouched(row, dtype, kElements);
    const std::vector<View> before = views(row, untouched.piece(*isas().front().table, 0));
    const auto after = after_call(row, dtype, *isas().front().table);
    REQUIRE(after.size() == before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      INFO("array " << i);
      std::size_t canaries = 0;
      for (const std::byte byte : after[i]) canaries += byte == std::byte{kCanary} ? 1 : 0;
      if (before[i].use == ArrayUse::read) CHECK(differing(after[i], before[i].data) == 0);
      if (before[i].use == ArrayUse::write) CHECK(canaries < after[i].size() / 50);
      if (before[i].use == ArrayUse::update) CHECK(differing(after[i], before[i].data) > 0);
    }
  });
}

TEST_CASE("kernel bench: nothing is written outside of the piece") {
  for_each_row([](const KernelRow& row, Dtype dtype) {
    KernelArrays arrays(row, dtype, 40 * kPieceGrain);
    KernelArrays untouched(row, dtype, 40 * kPieceGrain);
    REQUIRE(arrays.pieces() == 2);
    const FpEnvGuard guard;
    row.run(arrays.piece(*isas().front().table, 1));
    const auto mine = views(row, arrays.piece(*isas().front().table, 0));
    const auto other = views(row, untouched.piece(*isas().front().table, 0));
    for (std::size_t i = 0; i < mine.size(); ++i) CHECK(std::memcmp(mine[i].data, other[i].data, mine[i].bytes) == 0);
  });
}

TEST_CASE("kernel bench: what is timed gives the same bits on every ISA") {
  for_each_row([](const KernelRow& row, Dtype dtype) {
    const auto expected = after_call(row, dtype, *isas().front().table);
    for_each_runnable_isa([&](const KernelTable& kernels) { CHECK(after_call(row, dtype, kernels) == expected); });
  });
}

TEST_CASE("kernel bench: bytes of a row, counted by hand") {
  auto bytes = [](const char* kernel, Dtype dtype) {
    for (const KernelRow& row : kernel_rows()) {
      if (row.name == kernel) return bytes_of(row, dtype);
    }
    return KernelBytes{};
  };
  CHECK(bytes("adam", Dtype::fp32).held == 16);
  CHECK(bytes("adam", Dtype::fp32).moved == 28);
  CHECK(bytes("from_fp32", Dtype::bf16).moved == 6);
  CHECK(bytes("from_fp32", Dtype::fp32).moved == 8);
  CHECK(bytes("scan", Dtype::fp16).moved == 2);
  CHECK(bytes("backward_epilogue_gelu", Dtype::bf16).held == 10);
  CHECK(bytes("backward_epilogue_gelu", Dtype::bf16).moved == 14);
}

TEST_CASE("kernel bench: pieces are equal and cover what was asked for") {
  const auto rows = kernel_rows();
  const KernelRow& row = *std::find_if(rows.begin(), rows.end(), [](const KernelRow& r) { return r.name == "add"; });
  for (const std::size_t elements : {1, 1024, 1025, 32768, 32769, 100000, 1000000}) {
    KernelArrays arrays(row, Dtype::fp32, elements);
    CHECK(arrays.elements() >= elements);
    CHECK(arrays.elements() < elements + arrays.pieces() * kPieceGrain);
    CHECK(arrays.piece_elements() % kPieceGrain == 0);
    CHECK(arrays.piece_elements() <= 32768);
    const KernelPiece first = arrays.piece(*isas().front().table, 0);
    const KernelPiece last = arrays.piece(*isas().front().table, 2 * arrays.pieces() - 1);
    CHECK(last.fp32[0] - first.fp32[0] == static_cast<std::ptrdiff_t>(arrays.elements() - arrays.piece_elements()));
    for (const KernelPiece& piece : {first, last}) {
      for (std::size_t i = 0; i < piece.elements; ++i) {
        if (!(std::fabs(piece.fp32[0][i]) <= 4 && piece.fp32[0][i] != 0)) FAIL("no ordinary number");
      }
    }
  }
}

TEST_CASE("kernel bench: a result for each ISA, with fields that fit together") {
  for (const Dtype dtype : kEachDtype) {
    const std::vector<KernelBenchResult> results = bench_kernel(small("from_fp32", dtype));
    std::size_t i = 0;
    for (const IsaState& isa : isas()) {
      if (!isa.runnable) continue;
      REQUIRE(i < results.size());
      const KernelBenchResult& r = results[i++];
      CHECK(r.isa == isa.name);
      CHECK(r.elements == 1024);
      CHECK(r.place == KernelPlace::l1);
      CHECK(r.median_ns > 0);
      CHECK(r.ns_per_element * 1024 == doctest::Approx(r.median_ns));
      CHECK(r.gb_per_s * r.ns_per_element == doctest::Approx(4 + size_of(dtype)));
      CHECK(r.copy_gb_per_s > 0);
      CHECK(r.fraction_of_copy * r.copy_gb_per_s == doctest::Approx(r.gb_per_s));
      CHECK(r.speedup * r.median_ns == doctest::Approx(results.front().median_ns * results.front().speedup));
      if (r.isa == "scalar") CHECK(r.speedup == 1);
    }
    CHECK(i == results.size());
  }
}

TEST_CASE("kernel bench: scalar is measured for the speed-up though nobody asked for it") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    KernelBenchRequest r = small("add");
    r.isas = {kernels.name};
    const std::vector<KernelBenchResult> results = bench_kernel(r);
    REQUIRE(results.size() == 1);
    CHECK(results.front().isa == kernels.name);
    CHECK((results.front().speedup > 0) == (std::string_view(isas().front().name) == "scalar"));
  });
}

TEST_CASE("kernel bench: arrays fill the place that was asked for") {
  KernelBenchRequest r = small("adam");
  r.isas = {isas().front().name};
  r.elements = 0;
  r.place = KernelPlace::l1;
  KernelBenchResult result = bench_kernel(r).front();
  CHECK(result.place == KernelPlace::l1);
  CHECK(16 * result.elements <= cache_sizes().l1);
  r.place = KernelPlace::l2;
  result = bench_kernel(r).front();
  CHECK(result.place == KernelPlace::l2);
  CHECK(16 * result.elements > cache_sizes().l2 / 4);
  CHECK(beyond_cache_bytes(1) >= std::size_t{1} << 26);
  CHECK(static_cast<double>(beyond_cache_bytes(1)) >= std::min(cache_bytes(1), 0x1p29));
}

TEST_CASE("kernel bench: the plain copy copies") {
  std::vector<std::byte> from(4096), to(4096 + 64, std::byte{kCanary});
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 7 % 251);
  copy_streams(from, to.data());
  CHECK(std::memcmp(from.data(), to.data(), from.size()) == 0);
  for (std::size_t i = from.size(); i < to.size(); ++i) CHECK(to[i] == std::byte{kCanary});
}

TEST_CASE("kernel bench: what it cannot measure is refused") {
  CHECK(refused(small("nonsense")) == Status::invalid_argument);
  CHECK(refused(small("adam", Dtype::bf16)) == Status::invalid_argument);
  CHECK(refused(small("split")) == Status::invalid_argument);
  KernelBenchRequest r = small("add");
  r.elements = std::size_t{1} << 40;
  CHECK(refused(r) == Status::invalid_argument);
  r = small("add");
  r.isas = {"nonsense"};
  CHECK(refused(r) == Status::unsupported);
}
