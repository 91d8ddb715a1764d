// The loss scale from what the batch itself shows: the largest scaled gradient by an activation sets it in one move.
#pragma once
#include <cstdint>

#include "amp/grad_scaler.hpp"
#include "base/state.hpp"

namespace halfstep::internal {

class Headroom {
 public:
  // After an overflow: a smaller scale at which to run the backward pass of the same batch again. The first move takes
  // two bits, each later one twice the bits of the one before. False: nothing smaller is left to try.
  bool retreat(GradScaler& scaler);
  // After a backward pass without overflow; `largest` is of all scaled d, as stored. The scale falls at once to where
  // two bits of fp16's range stay free; it rises, in one move too, to what each of the last kWindow batches allowed.
  void fit(GradScaler& scaler, float largest);
  void visit_state(StateVisitor& visitor);

 private:
  static constexpr int kWindow = 32;
  float allowed_ = 0;  // the smallest scale that a batch of the window called for
  int seen_ = 0;       // batches of the window
  int window_ = 1;     // the first batch of a run, and the first after an overflow, moves the scale by itself
  int bits_ = 2;       // of the next retreat
};

}  // namespace halfstep::internal
