// When a run adds to the average of its weights, and when that stands in for them.
#pragma once
#include <cstdint>
#include <optional>

#include "halfstep/options.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

class Averaging {
 public:
  // Does nothing unless the options ask for an average. `trainer` must outlive it.
  Averaging(const Options& options, StepTrainer& trainer);

  void after_applied_step();
  void after_epoch(std::int64_t epoch);  // from 1
  // The model is its average from now on, where there is one.
  void settle();

  // As long as it lives the model is its average, where there is one.
  class InPlace {
   public:
    explicit InPlace(Averaging& averaging) : averaging_(averaging) { averaging_.settle(); }
    ~InPlace() { averaging_.settle(); }
    InPlace(const InPlace&) = delete;
    InPlace& operator=(const InPlace&) = delete;

   private:
    Averaging& averaging_;
  };

 private:
  StepTrainer& trainer_;
  double ema_;
  std::optional<std::int64_t> first_epoch_;  // whose weights count
};

}  // namespace halfstep::internal
