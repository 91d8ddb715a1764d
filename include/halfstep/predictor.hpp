// Predictions again and again, without taking memory.
//
//   const Model model("model.safetensors");
//   Predictor predictor(model);
//   std::vector<float> out(predictor.outputs());
//   predictor.predict(row, out);
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "halfstep/model.hpp"

namespace halfstep {

// How a predictor works.
struct PredictorOptions {
  std::size_t max_rows = 1;      // that pass through the network at once: 1 for latency, 512 for many rows
  int threads = 1;               // 1: the caller's alone; 0: as many as the process may use
  bool threads_of_host = false;  // as in Options
};

// Shares the weights of its model and keeps them alive; has buffers and threads of its own. One thread at a time may
// call it, and as many predictors as wanted may work on one model at a time.
class Predictor {
 public:
  // Throws Error(invalid_argument, out_of_memory).
  explicit Predictor(const Model& model, const PredictorOptions& options = {});
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;
  ~Predictor();

  std::size_t inputs() const;   // numbers of a row
  std::size_t outputs() const;  // numbers for a row

  // For rows x inputs() numbers as the network sees them, any number of rows, rows x outputs(): probabilities of
  // classes, or values in the units of the target; of a binary cross-entropy with one output, the probability of
  // class 1. NaN for a row whose outputs are not finite. The bits are those of `halfstep predict`, whatever the rows
  // beside, threads and portable ISA. Allocates nothing. Of a model that was trained on a table use predict() of
  // halfstep/jobs.hpp, which preprocesses. `x` and `out` may not overlap. Throws Error(invalid_argument) where sizes do
  // not fit, Error(state) in a child that was forked; `out` is then as it was.
  void predict(std::span<const float> x, std::span<float> out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halfstep
