#include "nn/network.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "halfstep/error.hpp"
#include "nn/blocks.hpp"
#include "nn/dense.hpp"
#include "nn/embedding.hpp"

namespace halfstep::internal {
namespace {

[[noreturn]] void refuse_batch() {
  throw Error(Status::invalid_argument, {.what = "BatchNorm cannot train on a batch of one row",
                                         .where = {},
                                         .why = "its statistics are those of the rows of a batch",
                                         .kept = {},
                                         .hint = "batches of two rows or more"});
}

}  // namespace

Network::Network(NetworkShape shape) : shape_(std::move(shape)) {
  const bool embeds = !shape_.embedded.empty();
  const std::size_t rows = pad_rows(shape_.max_rows * shape_.members);
  input_ = make_activations(pad_rows(shape_.max_rows), shape_.widths.front(), embeds ? Dtype::fp32 : shape_.dtype_of(0),
                            shape_.training && !embeds);
  for (std::size_t i = 0; i + 1 < shape_.layers(); ++i) blocks_.push_back(make_hidden_layer(shape_, i));
  std::unique_ptr<Dense> last = make_last_layer(shape_);
  last_ = last.get();
  blocks_.push_back(std::move(last));

  signals_.push_back({"input", StoredSignal::Kind::input, input_.dtype, input_.rows.data(), input_.ld});
  if (embeds) {
    embedding_ = std::make_unique<Embedding>(shape_);
    embedding_->list_parameters(parameters_);
    embedding_->list_signals(signals_);
  }
  bool wants_d_y = false, wants_d_z = false;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const std::size_t before = parameters_.size();
    blocks_[i]->list_parameters(parameters_);
    for (std::size_t p = before; p < parameters_.size(); ++p) parameters_[p]->block = i;
    const std::size_t signals_before = signals_.size();
    blocks_[i]->list_signals(signals_);
    for (std::size_t s = signals_before; s < signals_.size(); ++s) signals_[s].block = i;
    wants_d_y |= blocks_[i]->wants_d_y();
    wants_d_z |= blocks_[i]->wants_d_z();
  }
  std::stable_partition(signals_.begin(), signals_.end(),
                        [](const StoredSignal& s) { return s.kind != StoredSignal::Kind::gradient; });
  std::copy_if(parameters_.begin(), parameters_.end(), std::back_inserter(trained_),
               [](const Parameter* p) { return p->is_trained(); });
  std::stable_partition(trained_.begin(), trained_.end(), [](const Parameter* p) { return p->decays; });
  if (wants_d_y) d_y_ = AlignedBuffer<float>(rows * pad_columns(widest()));
  if (wants_d_z) d_z_ = AlignedBuffer<float>(d_y_.size());
}

Network::~Network() = default;

std::size_t Network::widest() const {
  std::size_t most = 0;
  for (std::size_t i = 0; i < shape_.layers(); ++i) most = std::max(most, shape_.outputs_of_layer(i));
  return most;
}

std::size_t Network::columns_of(const StoredSignal& signal) const {
  if (signal.kind == StoredSignal::Kind::input) return shape_.widths.front();
  return signal.kind == StoredSignal::Kind::embedded ? shape_.columns_of_layer(0)
                                                     : shape_.outputs_of_layer(signal.block);
}

std::string Network::describe() const {
  std::string widths, fullest;
  for (const std::size_t width : shape_.widths) widths += (widths.empty() ? "" : "-") + std::to_string(width);
  for (const auto& block : blocks_) {
    if (block->describe().size() > fullest.size()) fullest = block->describe();
  }
  if (embedding_) widths += " " + embedding_->describe() + (fullest.empty() ? "" : ",");
  return fullest.empty() ? widths : widths + " " + fullest;
}

std::size_t Network::elements() const {
  std::size_t count = 0;
  for (const Parameter* p : trained_) count += p->elements();
  return count;
}

std::size_t Network::least_rows() const {
  std::size_t most = 1;
  for (const auto& block : blocks_) most = std::max(most, block->least_rows());
  return most;
}

ModelMemory Network::memory() const {
  ModelMemory m = {0, 0, 0, input_.bytes(), sizeof(float) * (d_y_.size() + d_z_.size())};
  for (const Parameter* p : parameters_) {
    m.masters += sizeof(float) * (p->master.size() + p->pending.size());
    m.working_weights += p->packed_forward.size() + p->packed_backward.size();
    m.gradients += sizeof(float) * p->gradient.size() + sizeof(double) * p->squares.size();
    m.activation_gradients += sizeof(float) * p->sums.size();
  }
  const auto add = [&](const Block& block) {
    const BlockMemory here = block.memory();
    m.activations += here.activations;
    m.activation_gradients += here.activation_gradients;
  };
  if (embedding_) add(*embedding_);
  for (const auto& block : blocks_) add(*block);
  return m;
}

void Network::initialise(std::uint64_t seed, const KernelTable& kernels) {
  if (embedding_) embedding_->initialise(seed);
  for (const auto& block : blocks_) block->initialise(seed);
  pack_all(kernels);
}

void Network::pack_all(const KernelTable& kernels) {
  for (Parameter* p : parameters_) p->pack(kernels);
}

void Network::drop_masters() {
  for (Parameter* p : parameters_) p->drop_master();
}

void Network::borrow_parameters(const Network& from) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->borrow(*from.parameters_[i]);
}

void Network::visit_state(StateVisitor& visitor) {
  for (Parameter* p : parameters_) {
    p->has_master ? visitor.array(p->name, StateType::fp32, p->master)
                  : visitor.array(p->name, StateType::bytes, p->packed_forward);
  }
}

void Network::loaded(const KernelTable& kernels) {
  for (Parameter* p : parameters_) p->has_master ? p->pack(kernels) : p->repack(kernels);
  discard_statistics();
}

float* Network::logits() { return last_->logits(); }
const GradientTarget& Network::logits_gradient() { return last_->gradient_targets().front(); }

void Network::forward(GemmContext& context, std::size_t rows, std::optional<std::uint64_t> mask,
                      std::span<const SideTasks> beside, std::size_t first_row) {
  mask_ = mask;
  first_row_ = first_row;
  if (mask && rows < least_rows()) refuse_batch();
  if (embedding_) embedding_->forward(pass(context, rows), input_, {});
  const Pass here = pass(context, layer_rows(rows));
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i]->forward(here, input_of(i), i < beside.size() ? beside[i] : SideTasks{});
  }
}

void Network::backward(GemmContext& context, std::size_t rows, bool accumulate, StageWatch* watch) {
  const Pass here = pass(context, layer_rows(rows));
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    Block* const below = i > 0 ? blocks_[i - 1].get() : embedding_.get();
    blocks_[i]->backward(here, input_of(i), below, accumulate, watch);
  }
  if (embedding_) embedding_->backward(pass(context, rows), input_, nullptr, accumulate, watch);
}

void Network::commit_statistics() {
  for (Parameter* p : parameters_) p->commit_pending();
}
void Network::discard_statistics() {
  for (Parameter* p : parameters_) p->discard_pending();
}

std::size_t Network::replay_targets() const {
  std::size_t most = 1;
  for (const auto& block : blocks_) most = std::max(most, block->gradient_targets().size());
  return most;
}

void Network::replay(GemmContext& context, std::size_t rows, float* scratch, float* sums,
                     FunctionRef<void(const Replayed&)> see) {
  using enum StoredSignal::Kind;
  const Pass here = pass(context, layer_rows(rows));
  const std::size_t padded = pad_rows(shape_.max_rows * shape_.members), widest_ld = pad_columns(widest());
  auto target = [&](std::size_t columns, std::size_t index = 0) {
    return StorageTarget{scratch + index * padded * widest_ld, pad_columns(columns), nullptr, 0, Dtype::fp32};
  };
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    Block& block = *blocks_[i];
    const std::size_t width = block.width();
    if (i + 1 == blocks_.size()) continue;  // logits are fp32, and the loss makes their gradient
    GradientTargets targets = block.gradient_targets();
    std::vector<Replayed> gradients;
    for (std::size_t g = 0; g < targets.size(); ++g) {
      const Dtype storage = targets[g].d.dtype;
      targets[g].d = target(width, g);
      targets[g].sums = sums + g * sum_chunks(padded) * widest_ld;
      gradients.push_back({targets[g].name, gradient, storage, width, static_cast<float*>(targets[g].d.rows)});
    }
    blocks_[i + 1]->input_gradient(here, block, targets);
    for (const Replayed& r : gradients) see(r);
    const Dtype storage = block.output().dtype;
    if (block.stores_pre_activations()) {
      block.replay_stored(here, input_of(i), target(width));
      see({"layers." + std::to_string(i) + ".pre_activation", output, storage, width, scratch});
    }
    block.replay_output(here, input_of(i), target(width));
    see({"layers." + std::to_string(i) + ".output", output, storage, width, scratch});
  }
}

std::vector<NamedTensor> Network::tensors() const {
  std::vector<NamedTensor> out;
  for (const Parameter* p : parameters_) out.push_back({p->name, p->shape, p->values(), p->role});
  return out;
}

void Network::set_tensors(const std::vector<NamedTensor>& tensors) {
  for (Parameter* p : parameters_) {
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [&](const NamedTensor& t) { return t.name == p->name && t.shape == p->shape; });
    if (found == tensors.end()) {
      throw Error(Status::format, {.what = "the model does not fit its own description",
                                   .where = p->name,
                                   .why = "this tensor is missing or has another shape",
                                   .kept = {},
                                   .hint = {}});
    }
    p->set_values(found->values);
  }
}

}  // namespace halfstep::internal
