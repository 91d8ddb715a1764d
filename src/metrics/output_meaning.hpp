// How the outputs of a model are read.
#pragma once
#include <cstddef>
#include <vector>

namespace halfstep::internal {

// target = output * scale + mean
struct TargetUnits {
  double mean = 0, scale = 1;
};

// Classes, or values to be brought back to target units.
struct OutputMeaning {
  bool classification = true;
  bool softmax = true;        // of cross_entropy; else each output is of a logistic function
  bool single_logit = false;  // binary classification with one output
  double temperature = 1;     // of classes: what logits are divided by before anybody reads them
  std::vector<TargetUnits> targets = std::vector<TargetUnits>(1);  // of values, for each output
};

// An inf is an overflow on the way, as good as a NaN: softmax makes one of it.
bool is_finite_output(const float* logits, std::size_t columns);

// The class an example is given; NaN logits never win.
std::size_t predicted_class(const float* logits, std::size_t columns, bool single_logit);

}  // namespace halfstep::internal
