// Outputs of a network as the public face gives them.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "nn/network.hpp"
#include "train/inference.hpp"
#include "train/member_mean.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {

// Runs a network on rows. Its memory is taken when it is made; network and context outlive it.
class RowPredictor {
 public:
  RowPredictor(GemmContext& context, Network& network, LossKind loss, const OutputMeaning& meaning);

  // How many numbers `run` gives for so many. Throws Error(invalid_argument) where they are not whole rows.
  std::size_t outputs_for(std::size_t numbers) const;
  // rows x inputs numbers to rows x outputs: probabilities, or values in target units; NaN in rows that are not finite.
  // Any number of rows, in batches of what the network holds.
  void run(std::span<const float> x, float* out);

 private:
  std::size_t features() const { return network_.shape().widths.front(); }
  std::size_t outputs() const { return network_.shape().widths.back(); }
  void finish_row(const float* logits, float* out);

  GemmContext& context_;
  Network& network_;
  LossKind loss_;
  OutputMeaning meaning_;
  RowLoader loader_;
  MemberMean mean_;
  std::vector<float> row_;  // padded
};

}  // namespace halfstep::internal
