// The public update over src/optim: plain arrays of any length, in ranges that stay in L1.
#include <algorithm>
#include <cmath>

#include "api/gradient_pass_impl.hpp"
#include "api/refuse.hpp"
#include "base/dtype.hpp"
#include "base/state_bytes.hpp"
#include "halfstep/error.hpp"
#include "optim/optimizer.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kRange = 1024;        // elements that are widened, updated and rounded together
constexpr std::size_t kTask = 16 * kRange;  // of one task
constexpr std::size_t kWorthAThread = 4 * kTask;

std::size_t padded(std::size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

void check_options(const OptimizerOptions& o) {
  if (o.kind == OptimizerKind::muon) refuse_at("muon steps by matrices, and arrays have no shape: take adamw", "kind");
  const auto fraction = [](double v) { return v >= 0 && static_cast<float>(v) < 1; };  // a NaN is not
  if (!fraction(o.momentum)) refuse_at("momentum must be >= 0 and < 1", "momentum");
  if (!fraction(o.beta1)) refuse_at("beta1 must be >= 0 and < 1", "beta1");
  if (!fraction(o.beta2)) refuse_at("beta2 must be >= 0 and < 1", "beta2");
  if (!(static_cast<float>(o.epsilon) > 0)) refuse_at("epsilon must be > 0", "epsilon");
  if (!(o.weight_decay >= 0 && std::isfinite(o.weight_decay))) refuse_at("weight_decay must be >= 0", "weight_decay");
}

void check_weights(const OptimizerOptions& options, std::span<const WeightTensor> weights) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const WeightTensor& w = weights[i];
    const std::string where = "weight tensor " + std::to_string(i);
    if (w.master == nullptr && w.working == nullptr && w.elements > 0) refuse_at("weights without data", where);
    if (w.master == nullptr && options.master == MasterKind::fp32)
      refuse_at("no fp32 master, but the options want one", where);
    if (w.master == nullptr && w.dtype == Dtype::fp32) refuse_at("fp32 weights are masters", where);
  }
}

}  // namespace

struct FusedUpdate::Impl {
  GradientPass::Impl& pass;
  std::vector<WeightTensor> weights;
  std::unique_ptr<Optimizer> optimizer;

  void check_match(std::span<const GradientTensor> gradients) const {
    if (gradients.size() != weights.size()) refuse_at("as many gradients as weight tensors are needed", "gradients");
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (gradients[i].elements != weights[i].elements)
        refuse_at("a gradient of another size than its weights", gradients[i].name);
    }
  }

  // Elements [first, first + n) of tensor i, n at most kRange. Kernels take multiples of 16 of fp32: what is not goes
  // through a padded copy.
  void update_range(std::size_t i, const GradientTensor& gradient, std::size_t first, std::size_t n) {
    const KernelTable& kernels = *pass.machine.kernels;
    const WeightTensor& w = weights[i];
    const bool tail = n % kLanes != 0;
    alignas(kCacheLine) float wide_gradient[kRange], wide_weights[kRange];
    const void* from = static_cast<const std::byte*>(gradient.data) + first * size_of(gradient.dtype);
    void* working = w.working == nullptr ? nullptr : static_cast<std::byte*>(w.working) + first * size_of(w.dtype);
    const float* g = static_cast<const float*>(from);
    if (tail) std::fill_n(wide_gradient + padded(n) - kLanes, kLanes, 0.0f);
    if (tail) std::fill_n(wide_weights + padded(n) - kLanes, kLanes, 0.0f);
    if (tail || gradient.dtype != Dtype::fp32) {
      kernels.to_fp32[index_of(gradient.dtype)](n, from, wide_gradient);
      g = wide_gradient;
    }
    float* master = w.master == nullptr ? nullptr : w.master + first;
    float* values = master;
    if (master == nullptr)
      kernels.to_fp32[index_of(w.dtype)](n, working, values = wide_weights);
    else if (tail)
      kernels.to_fp32[index_of(Dtype::fp32)](n, master, values = wide_weights);
    optimizer->apply(kernels, i, first, padded(n), g, values);
    if (master != nullptr && tail) std::copy_n(values, n, master);
    if (working != nullptr) kernels.from_fp32[index_of(w.dtype)](n, values, working);
  }

  void update_all(std::span<const GradientTensor> gradients) {
    std::size_t elements = 0;
    std::vector<std::pair<std::size_t, std::size_t>> tasks;  // tensor, first element
    for (std::size_t i = 0; i < weights.size(); ++i) {
      elements += weights[i].elements;
      for (std::size_t first = 0; first < weights[i].elements; first += kTask) tasks.emplace_back(i, first);
    }
    auto body = [&](std::size_t task, int) {
      const auto [i, first] = tasks[task];
      const std::size_t end = std::min(weights[i].elements, first + kTask);
      for (std::size_t at = first; at < end; at += kRange)
        update_range(i, gradients[i], at, std::min(kRange, end - at));
    };
    pass.machine.executor->run(tasks.size(), body, elements < kWorthAThread ? 1 : 0);
  }
};

FusedUpdate::FusedUpdate(GradientPass& pass, const OptimizerOptions& options, std::span<const WeightTensor> weights) {
  check_options(options);
  check_weights(options, weights);
  std::vector<OptimizerTensor> tensors;
  for (const WeightTensor& w : weights) tensors.emplace_back(padded(w.elements), w.master != nullptr, w.dtype);
  impl_ = std::make_unique<Impl>(Impl{*pass.impl_, {weights.begin(), weights.end()}, make_optimizer(options, tensors)});
}
FusedUpdate::FusedUpdate(FusedUpdate&&) noexcept = default;
FusedUpdate::~FusedUpdate() = default;

bool FusedUpdate::apply(CheckedGradients&& gradients, double learning_rate) {
  if (!(learning_rate >= 0 && std::isfinite(learning_rate)))
    refuse_at("the learning rate must be >= 0", "learning_rate");
  const CheckedGradients taken = std::move(gradients);
  impl_->check_match(taken.tensors_);
  if (!taken.finite()) return false;
  impl_->optimizer->begin_step(learning_rate, 1.0f, taken.limit_, taken.multipliers_);
  impl_->update_all(taken.tensors_);
  return true;
}

std::int64_t FusedUpdate::steps() const { return impl_->optimizer->steps(); }
std::vector<std::byte> FusedUpdate::state() const { return state_bytes(save_state(*impl_->optimizer)); }
void FusedUpdate::set_state(std::span<const std::byte> bytes) {
  load_state(*impl_->optimizer, state_from_bytes(bytes));
}
std::size_t FusedUpdate::memory_bytes() const { return impl_->optimizer->memory_bytes(); }

}  // namespace halfstep
