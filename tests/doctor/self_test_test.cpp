// The self-test of users' machines: it passes here, finds what is wrong, and leaves no kernel out.
#include "doctor/self_test.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "doctor/reference_table.hpp"
#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// Kernels with faults that a CPU, a compiler or an emulator might have. Each calls the good one.
const KernelTable& good() { return *isas().front().table; }
void nudge(float& x) { x = float_of(bits_of(x) ^ 1); }

void add_wrong_in_last_lane(std::size_t n, const float* x, float* sum) {
  good().add(n, x, sum);
  if (n > 0) nudge(sum[n - 1]);
}
double squares_without_nan(std::size_t n, const float* x) {
  const double sum = good().sum_squares(n, x);
  return std::isnan(sum) ? 0.0 : sum;
}
void fp16_ties_upward(std::size_t n, const float* x, void* y) {
  good().from_fp32[index_of(Dtype::fp16)](n, x, y);
  for (std::size_t i = 0; i < n; ++i) {
    if (bits_of(x[i]) == 0x3f801000) static_cast<std::uint16_t*>(y)[i] += 1;
  }
}
void clamp_beyond_the_end(std::size_t n, float limit, float* x) {
  good().clamp(n, limit, x);
  x[n] = 0;
}
void fp16_without_subnormals(std::size_t n, const void* x, float* y) {
  good().to_fp32[index_of(Dtype::fp16)](n, x, y);
  for (std::size_t i = 0; i < n; ++i) {
    if (std::fabs(y[i]) < 0x1p-14f) y[i] = 0;
  }
}
void sum_of_the_first_row_alone(std::size_t rows, std::size_t columns, const void* x, std::size_t ld, double* sums) {
  good().row_sums[index_of(Dtype::bf16)](rows, columns, x, ld, sums);
  sums[1] = sums[0];
}
TileFunction good_tile;
void tile_wrong_in_last_lane(const TileOperands& t) {
  good_tile(t);
  nudge(t.c[t.ldc + kLanes - 1]);
}

KernelTable table_with_faults() {
  KernelTable bad = good();
  bad.add = add_wrong_in_last_lane;
  bad.sum_squares = squares_without_nan;
  bad.from_fp32[index_of(Dtype::fp16)] = fp16_ties_upward;
  bad.to_fp32[index_of(Dtype::fp16)] = fp16_without_subnormals;
  bad.clamp = clamp_beyond_the_end;
  bad.row_sums[index_of(Dtype::bf16)] = sum_of_the_first_row_alone;
  good_tile = std::exchange(bad.gemm[index_of(Dtype::fp32)].panel_tile[0][0], tile_wrong_in_last_lane);
  return bad;
}

// A table whose functions only count their calls, to see that the self-test calls each.
constexpr std::size_t kMostSlots = 512;
std::size_t calls[kMostSlots];

template <std::size_t I>
void count() {
  ++calls[I];
}
template <std::size_t... I>
constexpr std::array<void (*)(), sizeof...(I)> counters(std::index_sequence<I...>) {
  return {count<I>...};
}

// Puts a counter of its own into each pointer of a part of a table; null stays null.
class Slots {
 public:
  void replace(void* first, std::size_t bytes, const std::string& what) {
    constexpr auto kCounters = counters(std::make_index_sequence<kMostSlots>());
    for (std::size_t offset = 0; offset < bytes; offset += sizeof(void*)) {
      std::byte* const slot = static_cast<std::byte*>(first) + offset;
      void* function;
      std::memcpy(&function, slot, sizeof function);
      if (function == nullptr) continue;
      REQUIRE(names.size() < kMostSlots);
      std::memcpy(slot, &kCounters[names.size()], sizeof function);
      names.push_back(what + " " + std::to_string(offset / sizeof(void*)));
    }
  }
  std::vector<std::string> names;
};

// Replaces what products and layers call: a product of one row never finds its right operand converted.
class CountingTable {
 public:
  explicit CountingTable(const KernelTable& kernels) : table(kernels) {
    for (const Dtype dtype : kEachDtype) {
      GemmFamily& family = table.gemm[index_of(dtype)];
      const std::string what(name(dtype));
      replace_tiles(family, what + " tile");
      slots.replace(family.first_row_tile, sizeof family.first_row_tile, what + " tile of one row");
      replace_other(family.on_widened, what + " tile on widened");
      replace_other(family.by_fma, what + " tile by fma");
    }
    constexpr std::size_t kBegin = offsetof(KernelTable, forward_epilogue), kEnd = offsetof(KernelTable, peak_fma);
    slots.replace(table.forward_epilogue, kEnd - kBegin, "kernel");
  }

  KernelTable table;
  Slots slots;

 private:
  void replace_tiles(GemmFamily& family, const std::string& what) {
    slots.replace(family.rows_tile, sizeof family.rows_tile + sizeof family.panel_tile, what);
  }
  void replace_other(const GemmFamily*& family, const std::string& what) {
    if (family == nullptr) return;
    others_.push_back(std::make_unique<GemmFamily>(*family));
    replace_tiles(*others_.back(), what);
    family = others_.back().get();
  }

  std::vector<std::unique_ptr<GemmFamily>> others_;
};

// All of them at once, since each call of the reference is then compared with several. A quick run tests one ISA.
struct Outcome {
  Outcome() : bad(table_with_faults()), counting(*select_isa_state().table) {
    std::vector<TestedTable> tables;
    for_each_runnable_isa([&](const KernelTable& kernels) {
      if (test_effort() < 1) tables.clear();
      tables.push_back({kernels.name, &kernels});
    });
    tables.push_back({"bad", &bad});
    tables.push_back({"counting", &counting.table});
    checks = self_test(reference_table(good()), tables);
  }

  KernelTable bad;
  CountingTable counting;
  std::vector<IsaCheck> checks;
};
const Outcome& outcome() {
  static const Outcome once;
  return once;
}

TEST_CASE("doctor: every kernel of every ISA passes the self-test") {
  const std::vector<IsaCheck>& checks = outcome().checks;
  REQUIRE(checks.size() >= 3);
  for (const IsaCheck& check : std::span(checks).first(checks.size() - 2)) {
    INFO(check.isa);
    CHECK(check.kernels > 250);
    CHECK(check.passed == check.kernels);
    for (const KernelFailure& f : check.failures) {
      FAIL_CHECK(f.kernel << " of " << std::string(name(f.dtype)) << ", length " << f.length << ", element "
                          << f.element << ": got " << f.got << ", wanted " << f.wanted);
    }
  }
}

TEST_CASE("doctor: a wrong kernel fails the self-test and is named, and no other") {
  const std::vector<IsaCheck>& checks = outcome().checks;
  const IsaCheck& check = checks[checks.size() - 2];
  std::vector<std::string> found;
  for (const KernelFailure& f : check.failures) {
    CHECK(f.isa == "bad");
    CHECK(f.got != f.wanted);
    found.push_back(f.kernel + " " + std::string(name(f.dtype)));
  }
  CHECK(found == std::vector<std::string>{"from_fp32 fp16", "to_fp32 fp16", "row_sums bf16", "sum_squares fp32",
                                          "add fp32", "clamp fp32", "gemm.panel_tile[2x1] fp32"});
  CHECK(check.passed == check.kernels - 7);
  const KernelFailure& add = check.failures[4];
  CHECK(add.element == add.length - 1);
  CHECK(add.got.size() == 10);
  const KernelFailure& cast = check.failures[0];
  CHECK(cast.got == "0x3c01");
  CHECK(cast.wanted == "0x3c00");
}

TEST_CASE("doctor: the self-test calls every kernel and every tile of a table") {
  const std::vector<std::string>& names = outcome().counting.slots.names;
  CHECK(names.size() > 100);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK_MESSAGE(calls[i] > 0, "never called: ", names[i], " of the table");
  }
}

}  // namespace
