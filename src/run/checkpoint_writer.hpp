// Writes checkpoints on a thread of its own, so that steps go on meanwhile.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "run/checkpoint_file.hpp"
#include "run/checkpoint_folder.hpp"

namespace halfstep::internal {

class CheckpointWriter {
 public:
  // `folder` must outlive it.
  explicit CheckpointWriter(const CheckpointFolder& folder);
  ~CheckpointWriter();  // waits
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Whether one is still being written.
  bool busy() const;
  // What is to be written: a checkpoint, and the best model where that is another than the last time.
  struct Job {
    Checkpoint checkpoint;
    std::optional<SavedModel> best;
  };
  // Begins to write it once the one before is written. Where there is no thread to be had it is written at once.
  void begin(Job job);
  void wait();

  // What became of those that ended since the last call.
  struct Outcome {
    std::int64_t step = 0;
    std::int64_t bytes = 0;
    double seconds = 0;
    std::string failure;     // empty: it is there, and durable
    std::string where, why;  // parts of that
  };
  std::vector<Outcome> take_outcomes();
  std::optional<std::int64_t> last_saved() const;  // step of the newest that is there

 private:
  void work();
  void write(const Job& job) noexcept;

  const CheckpointFolder& folder_;
  mutable std::mutex turn_;
  std::condition_variable changed_;
  std::optional<Job> next_;
  bool writing_ = false, ends_ = false;
  std::vector<Outcome> outcomes_;
  std::optional<std::int64_t> last_saved_;
  std::thread thread_;
};

}  // namespace halfstep::internal
