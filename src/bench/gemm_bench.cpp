#include <cmath>
#include <limits>
#include <memory>

#include "bench/gemm_case.hpp"
#include "bench/peak.hpp"
#include "bench/timing.hpp"
#include "halfstep/bench.hpp"
#include "halfstep/error.hpp"
#include "kernels/dispatch.hpp"

namespace halfstep {

using namespace internal;
namespace {

// One ISA at one number of threads.
struct Contender {
  const KernelTable* kernels;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<GemmCase> product;
  std::vector<double> peaks;
};

void check(const GemmBenchShape& s) {
  // Operands are m k + k n + m n elements: refused here, before a product of sizes can wrap.
  const double elements = static_cast<double>(s.m) * static_cast<double>(s.k) +
                          static_cast<double>(s.k) * static_cast<double>(s.n) +
                          static_cast<double>(s.m) * static_cast<double>(s.n);
  if (s.m > 0 && s.n > 0 && s.k > 0 && elements < 0x1p40) return;
  throw Error(Status::invalid_argument,
              {.what = "m, n and k must be at least 1 and fit in memory",
               .where = std::to_string(s.m) + " x " + std::to_string(s.n) + " x " + std::to_string(s.k),
               .why = {},
               .kept = {},
               .hint = "--m 512 --n 512 --k 512"});
}

}  // namespace

std::vector<GemmBenchResult> bench_gemm(const GemmBenchRequest& request) {
  check(request.shape);
  std::vector<std::string> names = request.isas;
  if (names.empty()) {
    for (const IsaState& isa : isas()) {
      if (usable(isa, request.math)) names.push_back(isa.name);
    }
  }
  int most_threads = 1;
  for (int threads : request.threads) most_threads = std::max(most_threads, threads);
  const ParallelLimit limit(most_threads);
  std::vector<Contender> contenders;
  for (const std::string& isa : names) {
    for (int threads : request.threads) {
      Contender c{&select_isa(isa, request.math), make_executor(threads), nullptr, {}};
      c.product = std::make_unique<GemmCase>(*c.kernels, *c.executor, request.shape, request.epilogue);
      contenders.push_back(std::move(c));
    }
  }
  // Each product right beside its own peak.
  std::vector<TimedCase> cases;
  for (Contender& c : contenders) {
    cases.push_back({[&c](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) c.product->run();
    }});
    cases.push_back({[&c, dtype = request.shape.dtype](std::size_t) {
                       c.peaks.push_back(measure_peak(*c.kernels, dtype, c.executor->threads()));
                     },
                     0});
  }
  time_interleaved(cases, request.repetitions);

  const double flop = 2.0 * static_cast<double>(request.shape.m) * static_cast<double>(request.shape.n) *
                      static_cast<double>(request.shape.k);
  std::vector<GemmBenchResult> results;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const Contender& c = contenders[i];
    GemmBenchResult r;
    r.shape = request.shape;
    r.isa = c.kernels->name;
    r.threads = c.executor->threads();
    r.median_ns = 1e9 * median(cases[2 * i].seconds);
    r.gflops = flop / r.median_ns;
    r.peak_gflops = median(c.peaks);
    r.fraction_of_peak = r.gflops / r.peak_gflops;
    results.push_back(r);
  }
  return results;
}

}  // namespace halfstep
