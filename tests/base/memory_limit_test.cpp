#include "base/memory_limit.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include "support/fake_groups.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using halfstep::test::FakeGroups;

namespace {

// Groups without a limit leave physical memory, or less where the address space is limited (ulimit -v).
TEST_CASE("memory limit: without one it is what the machine has") {
  FakeGroups groups("0::/a");
  const MemoryLimit limit = memory_limit(groups.places());
  CHECK(limit.bytes > std::uint64_t{1} << 24);
  CHECK(limit.bytes < std::uint64_t{1} << 60);
  CHECK_FALSE(limit.source.empty());
}

TEST_CASE("memory limit: that of a v2 group, the smallest on the path") {
  FakeGroups groups("0::/a/b");
  groups.write("a/memory.max", "max");
  const MemoryLimit none = memory_limit(groups.places());
  groups.write("a/memory.max", "20000000");
  groups.write("a/b/memory.max", "30000000");
  const MemoryLimit limit = memory_limit(groups.places());
  CHECK(none.bytes > 30000000);
  CHECK(limit.bytes == 20000000);
  CHECK(limit.source == "memory limit of the control group");
}

TEST_CASE("memory limit: that of a v1 group, and its way to say that there is none") {
  FakeGroups groups("5:cpu,cpuacct:/job\n4:memory:/job\n0::/");
  groups.write("memory/job/memory.limit_in_bytes", "9223372036854771712");
  CHECK(memory_limit(groups.places()).source != "memory limit of the control group");
  groups.write("memory/memory.limit_in_bytes", "1000000");
  CHECK(memory_limit(groups.places()).bytes == 1000000);
  groups.write("memory/job/memory.limit_in_bytes", "500000");
  CHECK(memory_limit(groups.places()).bytes == 500000);
}

TEST_CASE("memory limit: files that make no sense are no limit") {
  for (const char* text : {"", "0", "-1", "lots", "nan"}) {
    INFO("memory.max: " << std::string(text));
    FakeGroups groups("0::/");
    groups.write("memory.max", text);
    CHECK(memory_limit(groups.places()).source != "memory limit of the control group");
  }
}

TEST_CASE("memory limit: that of the address space") {
  FakeGroups groups("0::/");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  // Far more than any test needs and less than addresses there are: only the reading of it is tested.
  const rlimit lower{rlim_t{1} << 45, before.rlim_max};
  if (before.rlim_cur != RLIM_INFINITY || ::setrlimit(RLIMIT_AS, &lower) != 0) return;
  const MemoryLimit limit = memory_limit(groups.places());
  ::setrlimit(RLIMIT_AS, &before);
  CHECK(limit.bytes <= std::uint64_t{1} << 45);
}

}  // namespace
