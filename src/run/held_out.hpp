// What a report shows of the rows held out, row by row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "data/preprocess.hpp"
#include "report/run_report.hpp"
#include "run/dependence.hpp"
#include "run/row_numbers.hpp"

namespace halfstep::internal {

// Rows, and what their outputs mean.
struct RowsToLookAt {
  const KernelTable& kernels;
  const ModelSpec& spec;
  const OutputMeaning& meaning;
  const data::Preprocessor& preprocessor;
  const data::Examples& examples;
  const RowNumbers& numbers;
};
// Calls what it is given with the logits of each row, in their order.
using EachRow = std::function<void(const std::function<void(const float* logits)>&)>;

// Calibration, differences, the worst rows. Leaves importance to the caller, and name and metrics.
report::HeldOut look_at_rows(const RowsToLookAt& rows, const EachRow& each_row);

// Rows, and networks that have not seen them.
struct AskedPart {
  Networks networks;
  const data::Examples& examples;
};

// How much the model's loss rises when the values of a column change places among the rows of a part: of all columns,
// or of neighbours together where there are many. At most 2000 rows, and no more work than a tenth of the training was,
// which went through the model `trained` times by a row, or half a second, three times where that is enough and up to
// five. Follows from seed, model and rows alone. The most used first, at most 30; and how the outputs follow from the
// first four columns of a table.
report::Importance column_use(const AskedModel& model, const ModelSpec& spec, const std::vector<AskedPart>& parts,
                              double trained, std::uint64_t seed);

}  // namespace halfstep::internal
