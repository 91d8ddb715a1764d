// The optimizer's update of a whole network. It waits for memory, while products wait for arithmetic: so all blocks but
// the first can be left to the next forward pass, each to be updated between the tiles of the block before it.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "gemm/side_tasks.hpp"
#include "nn/network.hpp"
#include "optim/optimizer.hpp"

namespace halfstep::internal {

class WeightUpdate {
 public:
  WeightUpdate(GemmContext& context, Network& network, Optimizer& optimizer);
  WeightUpdate(const WeightUpdate&) = delete;
  WeightUpdate& operator=(const WeightUpdate&) = delete;

  // After Optimizer::begin_step. `run` does all of it; `begin` leaves what it can if what that reads is more than
  // `cache_bytes`. Until a forward pass or `finish` has done the rest, gradients must stay and those weights are old.
  void run();
  void begin(std::size_t cache_bytes);
  void finish();

  // For Network::forward, which then finishes the update. To be told that it did.
  std::span<const SideTasks> beside_forward() const { return left_ ? beside_ : std::span<const SideTasks>(); }
  void finished() { left_ = false; }

 private:
  // Some blocks of one strip of a matrix, as they lie in memory.
  struct Task {
    std::size_t tensor;  // as the optimizer numbers it
    std::size_t strip, first_block;
  };
  // The matrices of one block of the network.
  struct BlockUpdate {
    WeightUpdate& update;
    std::vector<Task> tasks;
    void operator()(std::size_t task) const;
    void operator()(std::size_t task, MemoryRanges& ranges) const;
  };
  static constexpr std::size_t kBlocksOfTask = 8;

  void run_blocks(std::size_t first, std::size_t end);
  void run_vectors();
  void run_wholes();

  GemmContext& context_;
  Network& network_;
  Optimizer& optimizer_;
  std::size_t elements_;                   // trained
  std::size_t elements_beyond_first_ = 0;  // of matrices, with padding, that could be left
  std::vector<BlockUpdate> blocks_;
  std::vector<std::size_t> wholes_;  // matrices that the optimizer takes as a whole: nothing is left of an update
  std::vector<SideTasks> beside_;    // [i]: block i + 1
  bool left_ = false;
};

}  // namespace halfstep::internal
