#include "run/memory_check.hpp"

#include <doctest/doctest.h>

#include <string>

#include "halfstep/error.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

RunShape small_run() {
  return {.model = {.widths = {13, 70, 70, 5}, .max_rows = 33},
          .optimizer = {},
          .meters = false,
          .examples = 12345,
          .threads = 3};
}

ErrorParts refusal(const RunShape& run, const MemoryLimit& limit) {
  try {
    check_memory(run, limit);
  } catch (const Error& error) {
    CHECK(error.status() == Status::out_of_memory);
    return error.parts();
  }
  return {};
}

std::uint64_t total(const RunShape& run) {
  std::uint64_t bytes = 0;
  for (const MemoryPart& part : planned_memory(run)) bytes += static_cast<std::uint64_t>(part.bytes);
  return bytes;
}

TEST_CASE("memory check: the limit itself is accepted, one byte less is not") {
  const RunShape run = small_run();
  CHECK(refusal(run, {total(run), "test"}).what.empty());
  CHECK_FALSE(refusal(run, {total(run) - 1, "test"}).what.empty());
}

TEST_CASE("memory check: a refusal names the largest parts, the limit and a batch that fits") {
  RunShape run = small_run();
  run.model.widths = {100, 1000, 1000, 10};
  run.model.max_rows = 1000000;
  run.threads = 1;
  const MemoryLimit limit = {std::uint64_t{1} << 30, "the size of the test"};
  const ErrorParts parts = refusal(run, limit);
  CHECK(parts.where.starts_with("most of it: "));
  CHECK(parts.where.find("activations 7.9") != std::string::npos);
  CHECK(parts.why == "there are 1 GiB (the size of the test)");
  REQUIRE(parts.hint.starts_with("--batch "));
  run.model.max_rows = std::stoul(parts.hint.substr(8));
  CHECK(run.model.max_rows >= 16384);
  CHECK_NOTHROW(check_memory(run, limit));
}

TEST_CASE("memory check: where no batch fits the model is too large") {
  RunShape run = small_run();
  run.model.widths = {100, 1000000, 1000, 10};
  CHECK(refusal(run, {std::uint64_t{1} << 30, "test"}).hint.starts_with("a smaller --hidden"));
}

TEST_CASE("memory check: sizes that 64 bits cannot count are refused, and sums of large ones do not wrap") {
  RunShape run = small_run();
  run.model.widths.assign(257, std::size_t{1} << 20);
  run.model.max_rows = std::size_t{1} << 32;
  CHECK(refusal(run, {std::uint64_t{1} << 62, "test"}).where.find("TiB") != std::string::npos);
  run.model.widths = {10, std::size_t{1} << 40, 10};
  CHECK_THROWS_AS(check_memory(run, {std::uint64_t{1} << 62, "test"}), Error);
}

}  // namespace
