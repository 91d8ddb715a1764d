// That the benchmark of the tracer measures the cases that it was asked for, and refuses what train would.
#include <doctest/doctest.h>

#include <cmath>

#include "halfstep/bench.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal::tracer_bench {

TEST_CASE("tracer bench: a result with both times for each precision and number of threads") {
  StepBenchRequest request;
  request.widths = {5, 9, 3};
  request.batch = 7;
  request.precisions = {Dtype::bf16, Dtype::fp16};
  request.isas = {"scalar"};
  request.threads = {1, 2};
  request.repetitions = 1;
  const std::vector<TracerBenchResult> results = bench_tracer(request);
  REQUIRE(results.size() == 4);
  for (const TracerBenchResult& r : results) {
    CHECK(r.isa == "scalar");
    CHECK(r.off_ns > 0);
    CHECK(r.on_ns > 0);
    CHECK(r.ratio == doctest::Approx(r.on_ns / r.off_ns));
  }
  CHECK(results[0].precision == Dtype::bf16);
  CHECK(results[1].threads == 2);
  CHECK(results[3].precision == Dtype::fp16);
  request.widths = {1, 1};
  request.repetitions = 3;
  request.threads = {1};
  for (const TracerBenchResult& r : bench_tracer(request)) CHECK(std::isfinite(r.ratio));
  request.batch = 0;
  CHECK_THROWS_AS(bench_tracer(request), Error);
}

}  // namespace halfstep::internal::tracer_bench
