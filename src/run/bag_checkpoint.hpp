// Networks of a bag that outlive its run: each is saved when it has come to its own end, and a run that goes on with
// the folder trains the others only.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "halfstep/jobs.hpp"
#include "run/bag.hpp"
#include "run/bag_training.hpp"
#include "run/checkpoint_folder.hpp"

namespace halfstep::internal {

// Networks that options.resume finds, where it is given: good files of their own, whatever run they are of. `notes`
// gets what is wrong with others. Throws Error as newest_checkpoint, but not where none is good.
std::vector<Found> find_networks(const Options& options, std::vector<std::string>& notes);

// That what was found is of as many networks as the run. Throws Error(invalid_argument) where a bag is to go on with
// checkpoints of a single network, or the reverse. `folder` may be null.
void check_kind_of_run(const Options& options, const CheckpointFolder* folder, bool found_checkpoint);

class BagCheckpoints {
 public:
  // What all networks of a run have in their files: `header` is its model without tensors.
  struct Of {
    const SavedModel& header;
    const std::string& data;         // path
    const CheckpointFolder* folder;  // that they are saved in, which outlives it; null: they are not
  };
  // Takes those found that are good and of this run, which outlives it. `notes` gets what a user should know. Throws
  // Error(invalid_argument), which names what differs, where one is of another run.
  BagCheckpoints(const BagRun& run, const Of& of, std::vector<Found> found, std::vector<std::string>& notes);

  bool saves() const { return folder_ != nullptr; }
  std::size_t count_from(std::size_t part) const;  // of this part and those behind it
  // One that is there, once; none: it is to be trained.
  std::optional<TrainedNetwork> take(const BagTask& task);
  // On any thread. Throws Error(io).
  CheckpointReport save(TrainedNetwork& network) const;

  void saved(const std::string& path) { last_path_ = path; }
  const std::string& last_path() const { return last_path_; }  // of one that is there; empty: none

 private:
  TrainedNetwork network_of_run(Found& found) const;

  const BagRun& run_;
  const CheckpointFolder* folder_;
  std::vector<SavedModel> headers_;  // of each of the settings
  DataIdentity data_;
  std::string command_;  // that goes on
  std::vector<TrainedNetwork> networks_;
  std::string last_path_;
};

}  // namespace halfstep::internal
