// Mixed-precision updates for programs that make their own gradients: one read decides, one pass updates.
//
//   GradientPass pass;
//   FusedUpdate update(pass, {.kind = OptimizerKind::adamw}, weights);
//   CheckedGradients checked = pass.check(gradients, loss_scale, {.norm = 1});
//   const bool applied = update.apply(std::move(checked), learning_rate);
//
// Gradients come in as they are, multiplied by the loss scale, and are only read. Unscale and clip exist nowhere but
// inside the update, in the right order and once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halfstep/optimizer.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

// A gradient times the loss scale. `data` is aligned to its element and outlives the check and the update.
struct GradientTensor {
  std::string name;  // for reports
  const void* data = nullptr;
  std::size_t elements = 0;
  Dtype dtype = Dtype::fp32;
};

// All limits hold for the gradient after unscale; 0: off. At most one of `norm` and `tensor_norm`. The coefficient is
// min(1, limit / (norm + 1e-6)), as in PyTorch.
struct GradientClip {
  double norm = 0;         // L2 norm of all gradients together
  double tensor_norm = 0;  // L2 norm of each tensor
  double value = 0;        // magnitude of each element, before a norm is taken
};

// What one read of the gradients told, and what the update needs of it.
class CheckedGradients {
 public:
  CheckedGradients(CheckedGradients&&) = default;
  CheckedGradients& operator=(CheckedGradients&&) = default;
  // No inf, no NaN, neither before nor after the loss scale is divided out, and nothing so large that the factor which
  // clips it is below the normal numbers of fp32.
  bool finite() const { return finite_; }
  // The first tensor that is not finite; empty when all are.
  const std::string& first_bad() const { return first_bad_; }
  // L2 norm after unscale and clip by value, before clip by norm. Not a number or infinite when not finite().
  double norm() const { return norm_; }
  // The same of each tensor, in their order. Valid as long as this object.
  std::span<const double> tensor_norms() const { return tensor_norms_; }
  // Largest magnitude after unscale, before any clip.
  double largest() const { return largest_; }
  // What clip by norm will multiply the gradient by; of tensor `index` with tensor_norm. 1 when not finite().
  float clip_coefficient(std::size_t index = 0) const { return coefficients_.empty() ? 1.0f : coefficients_[index]; }

 private:
  friend class GradientPass;
  friend class FusedUpdate;
  CheckedGradients() = default;
  void decide(const GradientClip& clip, float inv_scale);
  bool finite_ = true;
  std::string first_bad_;
  double norm_ = 0;
  double largest_ = 0;
  std::vector<double> tensor_norms_;
  std::vector<float> coefficients_;  // of each tensor
  std::vector<float> multipliers_;   // inv_scale x clip_coef of each tensor
  float limit_ = 0;                  // clip by value, times the loss scale
  std::vector<GradientTensor> tensors_;
};

// Threads and an ISA. 0 threads: as many as the process may use.
// Several threads of the program may share one: calls of `check`, and updates of different FusedUpdates, take turns on
// its threads, and the bits are those of each alone. Moving or destroying it needs all of them to be done.
class GradientPass {
 public:
  // Throws Error(unsupported, invalid_argument).
  explicit GradientPass(int threads = 0, const std::string& isa = "auto");
  GradientPass(GradientPass&&) noexcept;
  ~GradientPass();

  // Reads every gradient once. The same bits at any number of threads and on every ISA.
  // Throws Error(invalid_argument): a scale that is not a power of two, a negative or NaN limit, two norms.
  CheckedGradients check(std::span<const GradientTensor> gradients, float loss_scale, const GradientClip& clip = {});

 private:
  friend class FusedUpdate;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where the weights of a tensor lie. Memory must outlive the FusedUpdate.
struct WeightTensor {
  float* master = nullptr;  // fp32; null: `working` are the only weights, see OptimizerOptions::master
  void* working = nullptr;  // 16-bit copy that each update writes; may be null where there is a master
  std::size_t elements = 0;
  Dtype dtype = Dtype::bf16;  // of `working`
};

// An optimizer's moments and clock for a list of tensors. One thread at a time may use it.
class FusedUpdate {
 public:
  // `pass` must outlive it. Any optimizer but muon, which needs the shapes of matrices. Throws
  // Error(invalid_argument, out_of_memory).
  FusedUpdate(GradientPass& pass, const OptimizerOptions& options, std::span<const WeightTensor> weights);
  FusedUpdate(FusedUpdate&&) noexcept;
  ~FusedUpdate();

  // One pass: unscale, clip, moments, weights, working copies. Gradients that are not finite change nothing, the clock
  // included, and give false. Throws Error(invalid_argument) when tensors and gradients do not match.
  bool apply(CheckedGradients&& gradients, double learning_rate);

  std::int64_t steps() const;  // applied ones

  // Moments and clock as bytes. Weights are the caller's to keep.
  std::vector<std::byte> state() const;
  // Takes them into an update of the same options and tensors: steps that follow have the bits that they would have
  // had. Throws Error(format) for bytes that are not such a state, and then changes nothing.
  void set_state(std::span<const std::byte> bytes);
  std::size_t memory_bytes() const;  // of moments and what else it keeps beside the weights

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halfstep
