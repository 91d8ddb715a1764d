// When a run must end, and what it then says. `kept` is left to whoever writes files.
#pragma once
#include <optional>

#include "amp/grad_scaler.hpp"
#include "halfstep/error.hpp"
#include "halfstep/options.hpp"
#include "train/ledger.hpp"

namespace halfstep::internal {

// After each step: nothing while the run may go on. It ends when the weights are unusable, when step after step is
// skipped and no smaller scale is left that could help, or when too many of the last steps were skipped.
std::optional<ErrorParts> verdict(const StepRecord& record, const Ledger& ledger, const GradScaler& scaler,
                                  const Options& options);

// After the last step: a run that applied nothing, or too little, has not trained.
std::optional<ErrorParts> final_verdict(const Ledger& ledger, const GradScaler& scaler, const Options& options);

}  // namespace halfstep::internal
