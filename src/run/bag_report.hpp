// What the page of a run shows of the rows of a bag.
#pragma once
#include "report/run_report.hpp"
#include "run/bag.hpp"

namespace halfstep::internal {

// Each row as the network sees it that has not been trained on it; what the columns are good for, too.
report::HeldOut held_out_of_bag(const BagRun& run, const SavedModel& saved, const HeldOutRows& rows,
                                const TrainResult& result);

}  // namespace halfstep::internal
