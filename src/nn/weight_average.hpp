// The mean of a model's weights over a stretch of its training: an exponential one (Polyak and Juditsky, 1992), or a
// plain one (stochastic weight averaging, Izmailov and others, 2018).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/state.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

class WeightAverage {
 public:
  // Allocates it. Of networks whose parameters all have masters.
  explicit WeightAverage(const Network& network);

  // average += share * (weights - average), BatchNorm's statistics included. The first call takes the weights.
  void add(const Network& network, float share);
  std::int64_t count() const { return count_; }  // of weights added
  void clear() { count_ = 0; }
  // The network gets the average and this keeps what the network had; a second call brings both back. loaded() of the
  // network is the caller's to call.
  void exchange(Network& network);
  std::size_t memory_bytes() const;
  void visit_state(StateVisitor& visitor);

 private:
  struct Mean {
    std::string name;  // of the parameter
    AlignedBuffer<float> values;
  };
  std::vector<Mean> means_;  // of each parameter
  std::int64_t count_ = 0;
};

}  // namespace halfstep::internal
