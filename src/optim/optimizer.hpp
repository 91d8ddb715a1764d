// Optimizers. They see one float multiplier (unscale and clip together) and a limit, and know nothing of mixed
// precision. A step is begin_step, then apply on every range of every tensor, in any order and in parallel; or
// apply_matrix, one after the other, on those that the rule takes as a whole.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "base/function_ref.hpp"
#include "base/memory_range.hpp"
#include "base/state.hpp"
#include "gemm/context.hpp"
#include "gemm/layout.hpp"
#include "halfstep/optimizer.hpp"
#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// Padded elements of a tensor, and how its weights are kept. Without a fp32 master apply gets what storage holds and
// leaves what storage can hold, rounded as OptimizerOptions::master says.
struct OptimizerTensor {
  OptimizerTensor(std::size_t elements, bool has_master = true, Dtype type = Dtype::fp32, bool weight_decay = true)
      : size(elements), master(has_master), storage(type), decays(weight_decay) {}
  std::size_t size;
  bool master;
  Dtype storage;
  bool decays;                         // by OptimizerOptions::weight_decay
  std::optional<WeightLayout> hidden;  // of the weights of a hidden layer, which lie in these strips
  bool vector = false;                 // no matrix: a bias, a norm, what embeds
  double rate = 1;                     // that the learning rate is multiplied by
};

using OptimizerTensors = std::vector<OptimizerTensor>;

struct ScaledGradient {
  const float* data;
  float multiplier;  // inv_scale x clip_coef
  float limit;       // clip by value before that; infinity: off
  bool decays;       // its weights
  double rate;       // factor of the learning rate, decay included
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Counts an applied step (the clock of Adam's bias correction) and fixes its factors. `tensor_multipliers`, where
  // given, replace the multiplier tensor by tensor; they must outlive the step.
  void begin_step(double lr, float multiplier, float limit, std::span<const float> tensor_multipliers = {});
  // Elements [offset, offset + n) of tensor `tensor`: offset a multiple of kRandomGroup (of 16 where nothing is rounded
  // by chance), n of 16. `grad` and `weights` point at element `offset`. Safe from several threads on ranges that do
  // not overlap.
  void apply(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, const float* grad,
             float* weights);
  // Whether apply_matrix is for this tensor, and apply is not.
  virtual bool takes_whole(std::size_t) const { return false; }
  // `grad`: of the whole matrix. `visit` is called once for each of its blocks, from several threads, and calls
  // `change` with its weights.
  using ChangeBlock = FunctionRef<void(float* weights)>;
  using VisitBlock = FunctionRef<void(std::size_t strip, std::size_t block, ChangeBlock change)>;
  virtual void apply_matrix(GemmContext&, std::size_t, const float*, VisitBlock) {}
  // What apply will read of its own, three ranges at most.
  void reads(std::size_t tensor, std::size_t offset, std::size_t n, std::span<MemoryRange> ranges) const;
  std::int64_t steps() const { return steps_; }
  int moments() const { return moments_; }  // numbers kept of each weight
  // The clock, and what apply keeps of its own; not the weights.
  void visit_state(StateVisitor& visitor);
  virtual std::size_t memory_bytes() const;
  // As if it had seen no step.
  void forget();

 protected:
  Optimizer(const OptimizerOptions& options, const OptimizerTensors& tensors, int moments);
  virtual void prepare(double lr) = 0;
  // What prepare keeps from step to step.
  virtual void visit_factors(StateVisitor&) {}
  virtual void forget_factors() {}
  // All in fp32. A moment that the rule does not have is null.
  virtual void update(const KernelTable&, std::size_t n, const ScaledGradient& grad, float* weights, float* first,
                      float* second) const = 0;

  // Of the step that was begun.
  float multiplier_of(std::size_t tensor) const {
    return tensor_multipliers_.empty() ? multiplier_ : tensor_multipliers_[tensor];
  }
  float limit() const { return limit_; }
  const OptimizerTensor& shape_of(std::size_t tensor) const { return tensors_[tensor].shape; }

  // Elements [offset, offset + n) of the moments as fp32, at most kChunk: `first` and `second`, null where there is
  // none. They are to be stored again.
  struct WideMoments {
    float *first, *second;
  };
  static constexpr std::size_t kChunk = 1024;  // elements that pass through fp32 scratch on the stack
  struct MomentScratch {
    alignas(64) float wide[2][kChunk];
  };
  WideMoments load_moments(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, MomentScratch&);
  void store_moments(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, const WideMoments&);
  // Weights that have no master: before an update with what rounding lost of them, after it rounded.
  void widen_weights(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, float* weights);
  void round_weights(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, float* weights);

  OptimizerOptions options_;

 private:
  struct Tensor {
    OptimizerTensor shape;
    AlignedBuffer<std::byte> moments[2];  // momentum or m, and v; empty where there is none
    AlignedBuffer<std::uint16_t> low;     // kahan: what rounding lost of the weights, in bf16
  };
  enum class Purpose : std::uint64_t { first, second, weights };

  void apply_chunk(const KernelTable&, std::size_t tensor, std::size_t offset, std::size_t n, ScaledGradient grad,
                   float* weights);
  RandomPlace place(std::size_t tensor, std::size_t offset, Purpose purpose) const;

  std::vector<Tensor> tensors_;
  int moments_;
  std::int64_t steps_ = 0;
  float multiplier_ = 1;
  float limit_ = 0;
  std::span<const float> tensor_multipliers_;
};

// The one table of optimizers.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const OptimizerTensors& tensors);

// Whether a rule has momentum, nesterov, beta1, beta2 or epsilon.
bool optimizer_has(OptimizerKind kind, std::string_view parameter);

}  // namespace halfstep::internal
