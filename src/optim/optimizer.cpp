#include "optim/optimizer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "base/dtype.hpp"

namespace halfstep::internal {
Optimizer::Optimizer(const OptimizerOptions& options, const OptimizerTensors& tensors, int moments)
    : options_(options), moments_(moments) {
  for (const OptimizerTensor& shape : tensors) {
    Tensor t{shape, {}, {}};
    const int count = options.kind == OptimizerKind::muon && shape.hidden ? 1 : moments;
    for (int i = 0; i < count; ++i) t.moments[i] = AlignedBuffer<std::byte>(shape.size * size_of(options.moments));
    if (!shape.master && options.master == MasterKind::kahan) t.low = AlignedBuffer<std::uint16_t>(shape.size);
    tensors_.push_back(std::move(t));
  }
}

void Optimizer::begin_step(double lr, float multiplier, float limit, std::span<const float> tensor_multipliers) {
  ++steps_;
  multiplier_ = multiplier;
  limit_ = limit;
  tensor_multipliers_ = tensor_multipliers;
  prepare(lr);
}

void Optimizer::apply(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n,
                      const float* grad, float* weights) {
  const float multiplier = multiplier_of(tensor);
  const OptimizerTensor& shape = tensors_[tensor].shape;
  for (std::size_t i = 0; i < n; i += kChunk) {
    apply_chunk(kernels, tensor, offset + i, std::min(kChunk, n - i),
                {grad + i, multiplier, limit_, shape.decays, shape.rate}, weights + i);
  }
}

void Optimizer::apply_chunk(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n,
                            ScaledGradient grad, float* weights) {
  MomentScratch scratch;
  const WideMoments moments = load_moments(kernels, tensor, offset, n, scratch);
  widen_weights(kernels, tensor, offset, n, weights);
  update(kernels, n, grad, weights, moments.first, moments.second);
  store_moments(kernels, tensor, offset, n, moments);
  round_weights(kernels, tensor, offset, n, weights);
}

Optimizer::WideMoments Optimizer::load_moments(const KernelTable& kernels, std::size_t tensor, std::size_t offset,
                                               std::size_t n, MomentScratch& scratch) {
  Tensor& t = tensors_[tensor];
  const Dtype dtype = options_.moments;
  float* moments[2] = {};
  for (std::size_t i = 0; i < 2 && t.moments[i].size() > 0; ++i) {
    std::byte* const stored = t.moments[i].data() + offset * size_of(dtype);
    moments[i] = dtype == Dtype::fp32 ? reinterpret_cast<float*>(stored) : scratch.wide[i];
    if (dtype != Dtype::fp32) kernels.to_fp32[index_of(dtype)](n, stored, moments[i]);
  }
  return {moments[0], moments[1]};
}

void Optimizer::store_moments(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n,
                              const WideMoments& wide) {
  const Dtype dtype = options_.moments;
  float* const moments[2] = {wide.first, wide.second};
  // To nearest a bf16 second moment would stand still: beta2 = 0.999 takes less than half of its last place.
  for (std::size_t i = 0; i < 2 && dtype != Dtype::fp32 && moments[i] != nullptr; ++i) {
    kernels.round_stochastic[index_of(dtype)](n, moments[i], place(tensor, offset, static_cast<Purpose>(i)));
    kernels.from_fp32[index_of(dtype)](n, moments[i], tensors_[tensor].moments[i].data() + offset * size_of(dtype));
  }
}

void Optimizer::widen_weights(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n,
                              float* weights) {
  const Tensor& t = tensors_[tensor];
  if (t.low.size() == 0) return;
  alignas(64) float low[kChunk];
  kernels.to_fp32[index_of(Dtype::bf16)](n, t.low.data() + offset, low);
  kernels.add(n, low, weights);
}

void Optimizer::round_weights(const KernelTable& kernels, std::size_t tensor, std::size_t offset, std::size_t n,
                              float* weights) {
  Tensor& t = tensors_[tensor];
  const std::size_t storage = index_of(t.shape.storage);
  if (t.low.size() > 0) {
    kernels.split[storage](n, weights, t.low.data() + offset);
  } else if (!t.shape.master) {
    kernels.round_stochastic[storage](n, weights, place(tensor, offset, Purpose::weights));
  }
}

void Optimizer::reads(std::size_t tensor, std::size_t offset, std::size_t n, std::span<MemoryRange> ranges) const {
  const Tensor& t = tensors_[tensor];
  const std::size_t element = size_of(options_.moments);
  for (std::size_t i = 0; i < 2 && t.moments[i].size() > 0; ++i) {
    ranges[i] = {t.moments[i].data() + offset * element, n * element};
  }
  if (t.low.size() > 0) ranges[2] = {t.low.data() + offset, n * sizeof(std::uint16_t)};
}

// A stream for each step, tensor and purpose, clear of those of initialisation (below) and shuffling (above).
RandomPlace Optimizer::place(std::size_t tensor, std::size_t offset, Purpose purpose) const {
  const std::uint64_t stream = static_cast<std::uint64_t>(steps_) << 24 | static_cast<std::uint64_t>(tensor) << 2;
  return {options_.seed, stream | static_cast<std::uint64_t>(purpose), offset};
}

void Optimizer::visit_state(StateVisitor& visitor) {
  visitor.value("steps", steps_);
  visit_factors(visitor);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const StateVisitor::Group group(visitor, std::to_string(i));
    Tensor& t = tensors_[i];
    const StateType type = options_.moments == Dtype::fp32 ? StateType::fp32 : StateType::bits16;
    if (t.moments[0].size() > 0) visitor.array("first_moment", type, t.moments[0]);
    if (t.moments[1].size() > 0) visitor.array("second_moment", type, t.moments[1]);
    if (t.low.size() > 0) visitor.array("low", StateType::bits16, t.low);
  }
}

void Optimizer::forget() {
  steps_ = 0;
  forget_factors();
  for (Tensor& t : tensors_) {
    for (AlignedBuffer<std::byte>& moments : t.moments) std::fill(moments.begin(), moments.end(), std::byte{0});
    std::fill(t.low.begin(), t.low.end(), std::uint16_t{0});
  }
}

std::size_t Optimizer::memory_bytes() const {
  std::size_t total = 0;
  for (const Tensor& t : tensors_) total += t.moments[0].size() + t.moments[1].size() + 2 * t.low.size();
  return total;
}

// One file each. Adam (L2 added to the gradient) or AdamW (decoupled decay), as options.kind says.
std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const OptimizerTensors& tensors);
std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, const OptimizerTensors& tensors);
std::unique_ptr<Optimizer> make_lion(const OptimizerOptions& options, const OptimizerTensors& tensors);
std::unique_ptr<Optimizer> make_radam(const OptimizerOptions& options, const OptimizerTensors& tensors);
std::unique_ptr<Optimizer> make_muon(const OptimizerOptions& options, const OptimizerTensors& tensors);

namespace {

using Words = std::array<std::string_view, 4>;

struct Rule {
  OptimizerKind kind;
  std::unique_ptr<Optimizer> (*make)(const OptimizerOptions&, const OptimizerTensors&);
  Words parameters;  // those of OptimizerOptions that not every rule has
};

constexpr Words kSgd = {"momentum", "nesterov"}, kAdam = {"beta1", "beta2", "epsilon"}, kLion = {"beta1", "beta2"},
                kMuon = {"muon-momentum", "beta1", "beta2", "epsilon"};
constexpr Rule kRules[] = {
    {OptimizerKind::sgd, make_sgd, kSgd},      {OptimizerKind::adam, make_adam, kAdam},
    {OptimizerKind::adamw, make_adam, kAdam},  {OptimizerKind::lion, make_lion, kLion},
    {OptimizerKind::radam, make_radam, kAdam}, {OptimizerKind::muon, make_muon, kMuon},
};

const Rule& rule_of(OptimizerKind kind) {
  return *std::find_if(std::begin(kRules), std::end(kRules), [kind](const Rule& rule) { return rule.kind == kind; });
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const OptimizerTensors& tensors) {
  return rule_of(options.kind).make(options, tensors);
}

bool optimizer_has(OptimizerKind kind, std::string_view parameter) {
  const Words& words = rule_of(kind).parameters;
  return std::find(words.begin(), words.end(), parameter) != words.end();
}

}  // namespace halfstep::internal
