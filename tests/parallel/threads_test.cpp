#include "parallel/threads.hpp"

#include <doctest/doctest.h>

#include "support/fake_groups.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using halfstep::test::FakeGroups;

namespace {

TEST_CASE("threads: a cgroup v2 quota is read, the smallest on the path") {
  FakeGroups groups("0::/a/b");
  CHECK_FALSE(cpu_quota(groups.places()));
  groups.write("a/b/cpu.max", "max 100000");
  CHECK_FALSE(cpu_quota(groups.places()));
  groups.write("a/cpu.max", "150000 100000");
  CHECK(cpu_quota(groups.places()) == 1.5);
  groups.write("a/b/cpu.max", "50000 100000");
  CHECK(cpu_quota(groups.places()) == 0.5);
}

TEST_CASE("threads: inside a container the group is the root of the mount") {
  FakeGroups groups("0::/outside/name");
  groups.write("cpu.max", "300000 100000");
  CHECK(cpu_quota(groups.places()) == 3.0);
}

TEST_CASE("threads: a cgroup v1 quota is read") {
  FakeGroups groups("4:cpu,cpuacct:/job\n3:memory:/job");
  groups.write("cpu,cpuacct/job/cpu.cfs_quota_us", "-1");
  groups.write("cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  CHECK_FALSE(cpu_quota(groups.places()));
  groups.write("cpu,cpuacct/job/cpu.cfs_quota_us", "250000");
  CHECK(cpu_quota(groups.places()) == 2.5);
}

TEST_CASE("threads: files that make no sense are no limit") {
  for (const char* text : {"", "0 100000", "-5 100000", "abc def", "100000", "100000 0", "nan 1"}) {
    INFO("cpu.max: " << std::string(text));
    FakeGroups groups("0::/\n\nnonsense\n1:\n2:cpu:relative");
    groups.write("cpu.max", text);
    CHECK_FALSE(cpu_quota(groups.places()));
  }
}

TEST_CASE("threads: the choice has a reason") {
  CHECK(choose_threads(5).count == 5);
  CHECK(choose_threads(5).reason == "asked for");
  CHECK(choose_threads(5000).count == kMaxThreads);
  const ThreadChoice automatic = choose_threads();
  CHECK(automatic.count >= 1);
  CHECK(automatic.count <= affinity_threads());
  CHECK_FALSE(automatic.reason.empty());
  CHECK(choose_threads(-3).count == automatic.count);
}

}  // namespace
