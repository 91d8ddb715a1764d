// The test program: doctest, a TBB limit that makes thread counts real, and the list of ISAs that were covered.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "parallel/executor.hpp"
#include "support/isa_loop.hpp"

namespace {

// oneTBB would run no more threads than there are cores, and tests of thread counts would test nothing.
constexpr int kTestThreads = 8;

unsigned g_cases_run = 0;

struct Counter : doctest::IReporter {
  explicit Counter(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override { g_cases_run = stats.numTestCasesPassingFilters; }
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("counter", 1, Counter);

bool isa_coverage_is_complete() {
  std::printf("ISAs covered:");
  for (const std::string& name : halfstep::test::covered_isas()) std::printf(" %s", name.c_str());
  std::printf("\n");
  const auto missing = halfstep::test::missing_isas();
  for (const std::string& name : missing) std::printf("required ISA not covered: %s\n", name.c_str());
  return missing.empty();
}

}  // namespace

int main(int argc, char** argv) {
  const halfstep::internal::ParallelLimit limit(kTestThreads);
  doctest::Context context(argc, argv);
  const int result = context.run();
  if (context.shouldExit()) return result;
  const bool covered = isa_coverage_is_complete();
  if (g_cases_run == 0) std::printf("no test case matches the filter\n");
  return result != 0 || !covered || g_cases_run == 0 ? 1 : 0;
}
