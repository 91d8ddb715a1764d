// How the outputs of a model follow from one column: partial dependence (Friedman, 2001, "Greedy function
// approximation").
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "data/examples.hpp"
#include "data/preprocess.hpp"
#include "gemm/gemm.hpp"
#include "halfstep/jobs.hpp"
#include "metrics/output_meaning.hpp"
#include "run/column_groups.hpp"
#include "train/joint_outputs.hpp"

namespace halfstep::internal {

// A model and what is known of it: all must outlive its use.
struct AskedModel {
  GemmContext& context;
  const Networks& networks;
  LossKind loss;
  const OutputMeaning& meaning;
  const data::Preprocessor& preprocessor;
};

// Mean outputs over the rows of `examples`, in full, when all of them have one value of the column: of a number at up
// to 12 of its quantiles in these rows, of categories those that occur, the 12 most frequent of many. Of two classes
// the second is told, of more than five those five that are said most. Without points where a column has fewer than
// two values.
Dependence dependence_of(const AskedModel& model, const data::Examples& examples, const ColumnGroup& group);

// What a number was before it became features: about, as these are fp32. NaN where it was missing.
double number_of(const data::Recipe& recipe, const data::InputColumn& column, const float* features);

}  // namespace halfstep::internal
