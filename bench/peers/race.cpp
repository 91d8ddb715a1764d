#include "peers/race.hpp"

#include <cmath>
#include <functional>

#include "base/rng.hpp"
#include "bench/gemm_case.hpp"
#include "bench/peak.hpp"
#include "bench/timing.hpp"
#include "halfstep/error.hpp"
#include "peers/quiet.hpp"

namespace halfstep::peers {

using namespace internal;
namespace {

struct Contender {
  std::string_view name;
  GemmBenchShape shape;
  std::function<void()> run;
  std::function<float(std::size_t, std::size_t)> result;
};

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
