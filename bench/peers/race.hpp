// halfstep and its peers on one product, interleaved.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernels/table.hpp"
#include "parallel/executor.hpp"
#include "peers/peer.hpp"

namespace halfstep::peers {

using namespace internal;

struct PeerTime {
  std::string_view name;
  Dtype dtype;
  double gflops = 0;
  double ratio = 0;  // its time by halfstep's, median over the repetitions: above 1 halfstep is faster
};

struct RaceResult {
  GemmBenchShape shape;
  std::string isa;
  int threads = 1;
  double gflops = 0;  // halfstep's
  double peak_gflops = 0;
  std::vector<PeerTime> peers;  // only those that have such a product

  double fraction_of_peak() const { return gflops / peak_gflops; }
  // Null where that peer took no part.
  const PeerTime* find(std::string_view name, Dtype dtype) const;
};

// Peers run in the storage type, and in fp32 too when that is a 16-bit type. Every result is compared with a reference
// first: throws Error(internal) when a contender computes something else, Error(state) when idle threads never rest.
RaceResult race(const KernelTable& kernels, Executor& executor, const std::vector<Peer>& peers,
                const GemmBenchShape& shape, int repetitions);

}  // namespace halfstep::peers
