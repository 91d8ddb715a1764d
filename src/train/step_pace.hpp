// Whether the steps of a model run on one thread or on all: a small network loses more to waking threads and to moving
// what one core has written to the other than it gains. The first steps are timed both ways, in turns. The results are
// the same bits either way.
#pragma once
#include <vector>

namespace halfstep {

class StepPace {
 public:
  explicit StepPace(int threads) : settled_(threads == 1) {}

  // True until the faster way is known: the caller then tells how long each step took.
  bool measuring() const { return !settled_; }
  // The way of the next step.
  bool alone() const { return alone_; }
  void took(double seconds);

 private:
  void settle();

  static constexpr int kBlock = 6;         // steps in a row that run one way; the first of them finds cold caches
  static constexpr int kBlocks = 8;        // of both ways together
  static constexpr double kLong = 0.5e-3;  // seconds: such steps always gain from threads

  bool settled_;
  bool alone_ = false;
  int steps_ = 0;
  std::vector<double> seconds_[2] = {};  // on all threads, alone
};

}  // namespace halfstep
