#include "train/joint_outputs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace halfstep::internal {
namespace {

// What several say together is divided by the temperature, once.
OutputMeaning of_one(OutputMeaning meaning, bool alone) {
  if (!alone) meaning.temperature = 1;
  return meaning;
}

}  // namespace

JointOutputs::JointOutputs(GemmContext& context, Networks networks, const OutputMeaning& meaning)
    : context_(context),
      networks_(std::move(networks)),
      loader_(first().shape().widths.front(), context.executor.threads()) {
  const std::size_t count = networks_.all.size();
  for (const Network* network : networks_.all) {
    members_.emplace_back(context.kernels, of_one(meaning, count == 1), columns(), network->shape().members);
  }
  if (count == 1) return;
  of_networks_.emplace(context.kernels, meaning, columns(), count);
  beside_ = AlignedBuffer<float>(pad_columns(count * columns()));
}

void JointOutputs::pass(const InputRows& from, const RowOrder& order) {
  for (Network* network : networks_.all) {
    loader_.load(context_, from, order, network->input());
    network->forward(context_, order.count);
  }
}

const float* JointOutputs::logits_of(std::size_t network, std::size_t row) const {
  Network& from = *networks_.all[network];
  return from.logits() + row * members_[network].members() * from.logits_ld();
}

const float* JointOutputs::of(std::size_t row) {
  if (!of_networks_) return members_.front().of(logits_of(0, row), first().logits_ld());
  for (std::size_t n = 0; n < members_.size(); ++n) {
    const float* const said = members_[n].of(logits_of(n, row), networks_.all[n]->logits_ld());
    std::copy_n(said, columns(), beside_.data() + n * columns());
  }
  return of_networks_->of(beside_.data(), 0);
}

void JointOutputs::spread(std::size_t row, double* out) const {
  members_.front().spread(logits_of(0, row), first().logits_ld(), out);
  if (!of_networks_) return;
  std::vector<double> one(columns());
  for (std::size_t c = 0; c < columns(); ++c) out[c] *= out[c];
  for (std::size_t n = 1; n < members_.size(); ++n) {
    members_[n].spread(logits_of(n, row), networks_.all[n]->logits_ld(), one.data());
    for (std::size_t c = 0; c < columns(); ++c) out[c] += one[c] * one[c];
  }
  for (std::size_t c = 0; c < columns(); ++c) out[c] = std::sqrt(out[c] / static_cast<double>(members_.size()));
}

}  // namespace halfstep::internal
