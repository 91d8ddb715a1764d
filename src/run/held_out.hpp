// What a report shows of the rows held out, row by row.
#pragma once
#include "data/preprocess.hpp"
#include "report/run_report.hpp"
#include "run/row_numbers.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

// Calibration, differences, the worst rows. Leaves name, metrics and importance to the caller.
report::HeldOut look_at_rows(StepTrainer& trainer, const OutputMeaning& meaning, const data::Preprocessor& preprocessor,
                             const data::Examples& examples, const RowNumbers& numbers);

// How much the model's loss rises when the values of a column change places among the rows: of all columns, or of
// neighbours together where there are many. At most 2000 rows, and no more work than a tenth of the training was, or
// half a second, three times where that is enough and up to five. Follows from seed, model and rows alone. The most
// used first, at most 30; and how the outputs follow from the first four columns of a table.
report::Importance column_use(StepTrainer& trainer, const OutputMeaning& meaning,
                              const data::Preprocessor& preprocessor, const data::Examples& examples);

}  // namespace halfstep::internal
