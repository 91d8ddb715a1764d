// Going on with a run that a checkpoint was saved of.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "halfstep/options.hpp"
#include "run/checkpoint_folder.hpp"
#include "run/training.hpp"

namespace halfstep::internal {

// What options.resume names; none where it is empty, where "auto" and options.checkpoint_dir has nothing, or where
// there are networks of a bag alone. `notes` gets what a user could regret. `folder`: options.checkpoint_dir, null
// without one. Throws Error: of reading, and invalid_argument where the folder has checkpoints that the run does not go
// on with.
std::optional<Found> find_checkpoint(const Options& options, const CheckpointFolder* folder,
                                     std::vector<std::string>& notes);

// Throws Error(invalid_argument), naming what differs, unless this is the run that the checkpoint is of: the same data,
// model, seed and all else that its bits follow from. The length of a run may be another, which is noted; `notes` null:
// not of this one, which has ended.
void check_same_run(const Found& found, const SavedModel& model, const DataIdentity& data, const std::string& isa,
                    std::vector<std::string>* notes);

// Throws Error(format) where the state does not fit. `recorder`: of a run that is to have a report, else null.
void load_run(const Found& found, Training& training, ReportRecorder* recorder);

// Where the run of a checkpoint stood.
MetricsLog::WentOn went_on(const Checkpoint& checkpoint);

// The command that goes on with a run: "halfstep train --resume auto ..."; empty where there is none.
std::string go_on_command(const Options& options);

}  // namespace halfstep::internal
