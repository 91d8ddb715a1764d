// A folder of checkpoints of one run: step-00000120000.safetensors for each that is kept, latest.safetensors for the
// newest of them, best.safetensors for the model that was best on held-out rows. Or of the networks of a bag that have
// ended: network-1-3.safetensors, by settings and part, both from 1.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/posix.hpp"
#include "run/checkpoint_file.hpp"

namespace halfstep::internal {

// Nobody else writes to the folder while this lives. It goes away with the process, however that ends.
class FolderLock {
 public:
  // Throws Error(io) where another run has it, naming that.
  explicit FolderLock(const std::string& folder);

 private:
  io::Descriptor file_;
};

class CheckpointFolder {
 public:
  // Makes the folder where it is missing. Throws Error(io) where it cannot be written, or another run writes to it.
  // `keep`: how many of the newest stay.
  CheckpointFolder(std::string folder, std::int64_t keep);

  const std::string& path() const { return folder_; }
  std::string path_of(std::int64_t step) const;
  std::string path_of(const std::string& name) const;
  std::string best_path() const;
  std::optional<std::int64_t> newest() const;  // step, whether its file is good or not
  // After a checkpoint is there: latest.safetensors is it, and the oldest beyond those to keep are removed.
  void saved(std::int64_t step) const;

 private:
  std::string folder_;
  std::int64_t keep_;
  FolderLock lock_;
};

// Names of files of a bag's networks.
std::string network_file(std::size_t settings, std::size_t part);  // both from 0
// Their paths in a folder, in the order of their names, whether they are good or not.
std::vector<std::string> networks_in(const std::string& folder);

// What `--resume auto` finds.
struct Found {
  std::string path;
  Checkpoint checkpoint;
};
// Throws Error as load_checkpoint, and format where it has weights or moments that are inf or NaN.
Found checkpoint_to_train_on(const std::string& path);
// The newest of a folder that can be trained on; none where the folder has none or is not there. `passed`
// gets what is wrong with newer ones. Throws Error(io, format) where there are some and none is good.
std::optional<Found> newest_checkpoint(const std::string& folder, std::vector<std::string>& passed);

}  // namespace halfstep::internal
