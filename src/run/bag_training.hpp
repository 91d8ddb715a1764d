// Networks that are trained side by side, each on some of the rows.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "amp/grad_scaler.hpp"
#include "halfstep/jobs.hpp"
#include "nn/network.hpp"
#include "run/bag.hpp"
#include "run/held_out_facts.hpp"
#include "train/trainer_config.hpp"

namespace halfstep::internal {

using BagClock = std::chrono::steady_clock;

double seconds_of(BagClock::time_point start);

// What a network is to be: settings of the run, and the part that is held out.
struct BagTask {
  std::size_t settings = 0, part = 0;
  bool operator==(const BagTask&) const = default;
};

// How it is trained.
Options options_of_task(const BagRun& run, const BagTask& task);
TrainerConfig config_of_task(const BagRun& run, const BagTask& task);

// What came of one network.
struct TrainedNetwork {
  BagTask task;
  BaggedNetwork told;
  TrainResult result;
  std::int64_t applied = 0;
  GradScalerState scaler;
  std::vector<NamedTensor> tensors;
  std::optional<OutputsOfRows> said;  // of the rows of its part

  // At its planned end or by early stopping: it is what it would be in any run.
  bool has_ended() const { return said && (result.ended.empty() || result.ended == "early stop"); }
};

// In the order of the tasks, which begin with part 0 unless there are networks already. Those that run.checkpoints has
// are not trained again, the others are saved there. Of those that were never begun, or came to no end, nothing is
// said; their result is `stopped` where that is why. The first failure, which ends all others, is thrown; but where it
// `forgives`, those that diverge are only left out. `later`: how many more are to be trained after these, within the
// time limit that runs from `start` on.
std::vector<TrainedNetwork> train_side_by_side(const BagRun& run, const TrainObserver& observer,
                                               const std::vector<BagTask>& tasks, std::size_t later,
                                               BagClock::time_point start, bool forgives);

}  // namespace halfstep::internal
