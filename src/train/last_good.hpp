// A copy of the weights at a time when they were good, for a run that ends badly: masters, or the packed weights of
// matrices without one; and statistics.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/state.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

class LastGood {
 public:
  explicit LastGood(const Network& network);  // allocates the copy

  // After each applied step, with the loss that the step started from. True every kEvery steps if their mean loss is
  // below the first loss of the run: the weights deserve to be kept.
  bool due(double loss);
  void keep(const Network& network, std::int64_t applied);

  bool any() const { return applied_ > 0; }
  std::int64_t applied() const { return applied_; }  // steps that led to the copy
  void restore(Network& network) const;              // where there are masters, packing them is the caller's
  std::size_t memory_bytes() const;
  void visit_state(StateVisitor& visitor);

  static constexpr std::int64_t kEvery = 64;

 private:
  struct Copy {
    AlignedBuffer<float> master;
    AlignedBuffer<std::byte> packed_forward, packed_backward;
    std::string name;  // of the parameter
  };
  std::vector<Copy> copies_;  // of each parameter
  std::int64_t applied_ = 0;
  std::int64_t steps_ = 0;  // seen by due
  double first_loss_ = 0;
  double sum_ = 0;  // of losses since the last time
};

}  // namespace halfstep::internal
