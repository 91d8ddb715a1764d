// What the doctor tells of the machine beside its kernels.
#include "halfstep/machine_check.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "base/fp_env.hpp"
#include "bench/precision_speed.hpp"
#include "doctor/machine_limits.hpp"
#include "doctor/self_test_advice.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

IsaCheck passed(const char* isa) { return {isa, 300, 300, 1000, {}}; }
IsaCheck failed(const char* isa) {
  return {isa, 300, 298, 1000, {{isa, "adam", Dtype::fp32, 16, 15, "0x3f800001", "0x3f800000"}, {}}};
}

TEST_CASE("doctor: a failed self-test advises the widest ISA that passed") {
  const std::vector<std::string> usable = {"scalar", "sse2", "avx2"};
  const auto advice = [&](const std::vector<IsaCheck>& checks) { return self_test_advice(checks, "avx2", usable); };
  CHECK(advice({passed("scalar"), passed("sse2"), passed("avx2")}).empty());
  const std::string own = advice({passed("scalar"), passed("sse2"), failed("avx2")});
  CHECK(own.find("avx2: adam of fp32 gave 0x3f800001, not 0x3f800000, and 1 other") != std::string::npos);
  CHECK(own.find("use --isa sse2, which passed") != std::string::npos);
  CHECK(own.find('\n') == std::string::npos);
  const std::string other = advice({passed("scalar"), failed("sse2"), passed("avx2")});
  CHECK(other.find("avx2, which runs take, passed") != std::string::npos);
  const std::string all = advice({failed("scalar"), failed("sse2"), failed("avx2")});
  CHECK(all.find("trust no result") != std::string::npos);
  // native, which runs may not take
  CHECK(advice({passed("scalar"), failed("sse2"), passed("sse2_muladd"), failed("avx2")}).find("--isa scalar") !=
        std::string::npos);
}

TEST_CASE("doctor: the caller's floating-point environment") {
  const CallerFloatingPoint before = caller_floating_point();
  CHECK_FALSE(before.traps);
  {
    const FpEnvGuard guard;
    const CallerFloatingPoint inside = caller_floating_point();
    CHECK(inside.rounding == "to nearest");
    CHECK(inside.flushes_results);
    CHECK(inside.flushes_inputs);
  }
  constexpr const char* kNames[] = {"to nearest", "upward", "downward", "toward zero"};
  for (std::size_t i = 0; i < std::size(kEachRounding); ++i) {
    const RoundingMode mode(kEachRounding[i]);
    CHECK(caller_floating_point().rounding == kNames[i]);
  }
  CHECK(caller_floating_point().flushes_results == before.flushes_results);
}

TEST_CASE("doctor: limits are those of the system") {
  const MachineLimits limits = machine_limits();
  CHECK(limits.affinity_cpus >= 1);
  CHECK(limits.memory_bytes > 0);
  CHECK_FALSE(limits.memory_source.empty());
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  const auto found = std::find_if(limits.process.begin(), limits.process.end(),
                                  [](const ProcessLimit& limit) { return limit.name == "open files"; });
  REQUIRE(found != limits.process.end());
  CHECK(found->soft == files.rlim_cur);
}

TEST_CASE("doctor: the fastest precision by its step, in a sentence that says what is emulated") {
  std::vector<PrecisionSpeed> speeds = {{Dtype::fp32, true, 100, 1000, 1, 1},
                                        {Dtype::bf16, false, 80, 1250, 0.8, 0.8},
                                        {Dtype::fp16, true, 200, 500, 2, 2}};
  CHECK(fastest_precision(speeds) ==
        "fp16 trains fastest here: a step in fp16 runs at 2 times the speed of fp32, a step in bf16, emulated, runs at "
        "0.8 times the speed of fp32");
  CHECK(fastest_precision({}).empty());
}

}  // namespace
