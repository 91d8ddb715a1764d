// Optimizers over fp32 masters. They see one float multiplier (unscale and clip together) and a limit, and know nothing
// of mixed precision. A step is begin_step, then apply on every range of every tensor, in any order and in parallel.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/arena.hpp"
#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep {

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double momentum = 0.9;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Counts an applied step (the clock of Adam's bias correction) and fixes its factors.
  virtual void begin_step(double lr, float multiplier, float limit) = 0;
  // Elements [offset, offset + n) of tensor `tensor`, both multiples of 16. `grad` and `master` point at element
  // `offset`. Safe from several threads on ranges that do not overlap.
  virtual void apply(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, const float* grad,
                     float* master) = 0;
  std::int64_t steps() const { return steps_; }
  std::size_t memory_bytes() const;

 protected:
  explicit Optimizer(std::size_t tensors) : first_(tensors), second_(tensors) {}

  std::int64_t steps_ = 0;
  std::vector<AlignedBuffer<float>> first_;   // momentum, or Adam's m
  std::vector<AlignedBuffer<float>> second_;  // Adam's v
};

// The one table of optimizers. `sizes`: padded elements of each tensor.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const std::vector<std::size_t>& sizes);

}  // namespace halfstep
