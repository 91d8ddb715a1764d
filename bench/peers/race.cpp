#include "peers/race.hpp"

#include <time.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <thread>

#include "base/rng.hpp"
#include "bench/gemm_case.hpp"
#include "bench/peak.hpp"
#include "bench/timing.hpp"
#include "halfstep/error.hpp"

namespace halfstep::peers {
namespace {

struct Contender {
  std::string_view name;
  GemmBenchShape shape;
  std::function<void()> run;
  std::function<float(std::size_t, std::size_t)> result;
};

double process_seconds() {
  timespec t = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Sleeps until no thread of this process runs. After a product the workers of every library stay awake for a while:
// GCC's OpenMP and oneTBB for about a millisecond, OpenBLAS for some 30, and what they burn would be taken from the
// next contender. Putting them to sleep earlier (OMP_WAIT_POLICY=passive) would slow the library itself down.
void settle() {
  constexpr double kSlice = 0.001;
  for (int slice = 0; slice < 500; ++slice) {
    const double before = process_seconds();
    std::this_thread::sleep_for(std::chrono::duration<double>(kSlice));
    if (process_seconds() - before < 0.1 * kSlice) return;
  }
  throw Error(Status::state, {.what = "idle threads of a library keep running",
                              .where = {},
                              .why = "they would take time from the others",
                              .kept = {},
                              .hint = "unset OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME, OPENBLAS_THREAD_TIMEOUT"});
}

// The system may wake a worker on the core of the thread that calls it and needs some milliseconds to move it.
constexpr double kWarm = 0.012;

// Wakes threads and brings operands into the caches, so that a window holds what a run of equal products holds. Where
// the system has woken a worker on the caller's core, an OpenMP library waits out its spinning in each call, 6 ms of
// GCC's, until the system moves the worker: alone in a process such a library stays so for its first tenths of a
// second. Such calls, much longer than `expected` seconds, are no window's either.
void warm_up(const std::function<void()>& run, double expected) {
  const double start = seconds_now();
  double last = 0, now = start;
  do {
    const double before = now;
    run();
    now = seconds_now();
    last = now - before;
  } while (now - start < kWarm || (last > 0.001 && last > 20 * expected && now - start < 0.3));
}

void check(const Contender& c) {
  c.run();
  const Rng rng(1, 9);
  for (std::uint64_t i = 0; i < 16; ++i) {
    const std::size_t row = i == 0 ? 0 : rng.below(2 * i, static_cast<std::uint32_t>(c.shape.m)),
                      column = i == 0 ? c.shape.n - 1 : rng.below(2 * i + 1, static_cast<std::uint32_t>(c.shape.n));
    const ReferenceElement expected = reference_element(c.shape, row, column);
    const float got = c.result(row, column);
    if (std::fabs(got - expected.value) <= expected.tolerance) continue;
    throw Error(Status::internal, {.what = "a contender computes something else than the product",
                                   .where = std::string(c.name) + ", " + std::string(name(c.shape.dtype)) + " " +
                                            std::string(name(c.shape.product)) + ", element " + std::to_string(row) +
                                            "," + std::to_string(column),
                                   .why = std::to_string(got) + " instead of " + std::to_string(expected.value),
                                   .kept = {},
                                   .hint = {}});
  }
}

// A product that its function objects own.
template <class ProductPointer>
Contender contender(std::string_view name, const GemmBenchShape& shape, ProductPointer product) {
  return {name, shape, [product] { product->run(); },
          [product](std::size_t row, std::size_t column) { return product->result(row, column); }};
}

std::vector<Contender> line_up(const KernelTable& kernels, Executor& executor, const std::vector<Peer>& peers,
                               const GemmBenchShape& shape) {
  std::vector<Contender> all;
  all.push_back(
      contender("halfstep", shape, std::make_shared<GemmCase>(kernels, executor, shape, GemmEpilogue::plain)));
  std::vector<Dtype> dtypes = {shape.dtype};
  if (shape.dtype != Dtype::fp32) dtypes.push_back(Dtype::fp32);
  for (const Dtype dtype : dtypes) {
    GemmBenchShape own = shape;
    own.dtype = dtype;
    for (const Peer& peer : peers) {
      if (peer.only_fp32 && dtype != Dtype::fp32) continue;
      if (std::shared_ptr<PeerProduct> product = peer.make(own)) all.push_back(contender(peer.name, own, product));
    }
  }
  return all;
}

double median_ratio(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < over.size(); ++i) ratios.push_back(over[i] / under[i]);
  return median(ratios);
}

}  // namespace

const PeerTime* RaceResult::find(std::string_view name, Dtype dtype) const {
  for (const PeerTime& p : peers) {
    if (p.name == name && p.dtype == dtype) return &p;
  }
  return nullptr;
}

RaceResult race(const KernelTable& kernels, Executor& executor, const std::vector<Peer>& peers,
                const GemmBenchShape& shape, int repetitions) {
  const std::vector<Contender> contenders = line_up(kernels, executor, peers, shape);
  const double gflop =
      2e-9 * static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
  const double at_peak = gflop / measure_peak(kernels, Dtype::fp32, executor.threads());
  std::vector<double> peaks;
  std::vector<TimedCase> cases;
  for (const Contender& c : contenders) {
    check(c);
    cases.push_back({[&c, at_peak](std::size_t) {
                       settle();
                       warm_up(c.run, at_peak);
                     },
                     0});
    cases.push_back({[&c](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) c.run();
    }});
  }
  cases.push_back({[&](std::size_t) {
                     settle();
                     peaks.push_back(measure_peak(kernels, shape.dtype, executor.threads()));
                   },
                   0});
  time_interleaved(cases, repetitions);

  const std::vector<double>& ours = cases[1].seconds;
  RaceResult r = {shape, kernels.name, executor.threads(), gflop / median(ours), median(peaks), {}};
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    const std::vector<double>& theirs = cases[2 * i + 1].seconds;
    r.peers.push_back(
        {contenders[i].name, contenders[i].shape.dtype, gflop / median(theirs), median_ratio(theirs, ours)});
  }
  return r;
}

}  // namespace halfstep::peers
