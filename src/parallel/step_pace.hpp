// Whether the steps of a model run on one thread or on all: a small network loses more to waking threads and to moving
// what one core has written to the other than it gains. The first steps are timed both ways, in turns, and some again
// later, for what else the machine did meanwhile may have misled them. The results are the same bits either way.
#pragma once
#include <vector>

namespace halfstep::internal {

class StepPace {
 public:
  explicit StepPace(int threads);

  // To be asked before each step: whether the caller is to tell how long it took.
  bool measures_next();
  // The way of that step.
  bool alone() const { return alone_; }
  void took(double seconds);

 private:
  void decide();

  static constexpr int kBlock = 6;         // steps in a row that run one way; the first of them finds cold caches
  static constexpr int kBlocks = 8;        // of both ways together
  static constexpr double kLong = 0.5e-3;  // seconds: such steps always gain from threads
  static constexpr int kFirstRest = 512, kLongestRest = 1 << 16;  // steps until it is measured again

  int threads_;
  int unmeasured_ = 0;  // steps to come
  int rest_ = kFirstRest;
  bool alone_ = false;
  bool settled_alone_ = false;
  int steps_ = 0;
  std::vector<double> seconds_[2] = {};  // on all threads, alone
};

}  // namespace halfstep::internal
