// A copy of the weights at a time when they were good, for a run that ends badly: masters, or the packed weights of
// layers without one.
#pragma once
#include <cstdint>
#include <vector>

#include "base/arena.hpp"
#include "nn/mlp.hpp"

namespace halfstep {

class LastGood {
 public:
  explicit LastGood(Mlp& model);  // takes the memory

  // After each applied step, with the loss that the step started from. True every kEvery steps if their mean loss is
  // below the first loss of the run: the weights deserve to be kept.
  bool due(double loss);
  void keep(Mlp& model, std::int64_t applied);

  bool any() const { return applied_ > 0; }
  std::int64_t applied() const { return applied_; }  // steps that led to the copy
  void restore(Mlp& model) const;                    // where there are masters, packing them is the caller's
  std::size_t memory_bytes() const;

  static constexpr std::int64_t kEvery = 64;

 private:
  struct Copy {
    AlignedBuffer<float> weight, bias;
    std::vector<AlignedBuffer<float>> norm, running;
    AlignedBuffer<std::byte> packed_forward, packed_backward;
  };
  std::vector<Copy> layers_;
  std::int64_t applied_ = 0;
  std::int64_t steps_ = 0;  // seen by due
  double first_loss_ = 0;
  double sum_ = 0;  // of losses since the last time
};

}  // namespace halfstep
