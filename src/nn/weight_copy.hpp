// A copy of all that a model has learned: masters, or the packed weights of matrices without one; and statistics.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/state.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

class WeightCopy {
 public:
  explicit WeightCopy(const Network& network);  // allocates the copy

  void keep(const Network& network, std::int64_t applied);
  bool any() const { return applied_ > 0; }
  std::int64_t applied() const { return applied_; }  // steps that led to the copy
  void restore(Network& network) const;              // where there are masters, packing them is the caller's
  std::size_t memory_bytes() const;
  void visit_state(StateVisitor& visitor);

 private:
  struct Copy {
    AlignedBuffer<float> master;
    AlignedBuffer<std::byte> packed_forward, packed_backward;
    std::string name;  // of the parameter
  };
  std::vector<Copy> copies_;  // of each parameter
  std::int64_t applied_ = 0;
};

}  // namespace halfstep::internal
