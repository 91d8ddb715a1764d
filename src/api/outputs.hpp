// Outputs of a network as the public face gives them.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "metrics/output_meaning.hpp"
#include "train/joint_outputs.hpp"

namespace halfstep::internal {

// Runs a model on rows. Its memory is taken when it is made; networks and context outlive it.
class RowPredictor {
 public:
  RowPredictor(GemmContext& context, const Networks& networks, LossKind loss, const OutputMeaning& meaning);

  // How many numbers `run` gives for so many. Throws Error(invalid_argument) where they are not whole rows.
  std::size_t outputs_for(std::size_t numbers) const;
  // rows x inputs numbers to rows x outputs: probabilities, or values in target units; NaN in rows that are not finite.
  // Any number of rows, in batches of what a network holds.
  void run(std::span<const float> x, float* out);

 private:
  std::size_t features() const { return said_.first().shape().widths.front(); }
  std::size_t outputs() const { return said_.columns(); }
  void finish_row(const float* logits, float* out);

  GemmContext& context_;
  LossKind loss_;
  OutputMeaning meaning_;
  JointOutputs said_;
  std::vector<float> row_;  // padded
};

}  // namespace halfstep::internal
