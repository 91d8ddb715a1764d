#include "train/last_good.hpp"

#include <algorithm>

namespace halfstep {

namespace {

template <class T>
void copy_all(const AlignedBuffer<T>& from, AlignedBuffer<T>& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

LastGood::LastGood(Mlp& model) {
  for (const Dense& l : model.layers()) {
    Copy copy;
    copy.bias = AlignedBuffer<float>(l.bias.size());
    for (const NormParameter& p : l.norm_parameters) copy.norm.emplace_back(p.values.size());
    for (const RunningStatistic& s : l.running) copy.running.emplace_back(s.values.size());
    if (l.master) {
      copy.weight = AlignedBuffer<float>(l.layout.size());
    } else {
      copy.packed_forward = AlignedBuffer<std::byte>(l.packed_forward.size());
      copy.packed_backward = AlignedBuffer<std::byte>(l.packed_backward.size());
    }
    layers_.push_back(std::move(copy));
  }
}

bool LastGood::due(double loss) {
  if (steps_++ == 0) first_loss_ = loss;
  sum_ += loss;
  if (steps_ % kEvery != 0) return false;
  const bool good = sum_ / kEvery < first_loss_;  // a NaN is not
  sum_ = 0;
  return good;
}

void LastGood::keep(Mlp& model, std::int64_t applied) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Dense& l = model.layers()[i];
    Copy& copy = layers_[i];
    copy_all(l.bias, copy.bias);
    for (std::size_t p = 0; p < copy.norm.size(); ++p) copy_all(l.norm_parameters[p].values, copy.norm[p]);
    for (std::size_t s = 0; s < copy.running.size(); ++s) copy_all(l.running[s].values, copy.running[s]);
    if (l.master) {
      copy_all(l.weight, copy.weight);
      continue;
    }
    copy_all(l.packed_forward, copy.packed_forward);
    copy_all(l.packed_backward, copy.packed_backward);
  }
  applied_ = applied;
}

void LastGood::restore(Mlp& model) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Dense& l = model.layers()[i];
    const Copy& copy = layers_[i];
    copy_all(copy.bias, l.bias);
    for (std::size_t p = 0; p < copy.norm.size(); ++p) copy_all(copy.norm[p], l.norm_parameters[p].values);
    for (std::size_t s = 0; s < copy.running.size(); ++s) copy_all(copy.running[s], l.running[s].values);
    if (l.master) {
      copy_all(copy.weight, l.weight);
      continue;
    }
    copy_all(copy.packed_forward, l.packed_forward);
    copy_all(copy.packed_backward, l.packed_backward);
  }
  model.settle_statistics(false);
}

std::size_t LastGood::memory_bytes() const {
  std::size_t total = 0;
  for (const Copy& copy : layers_) {
    total += (copy.weight.size() + copy.bias.size()) * sizeof(float) + copy.packed_forward.size() +
             copy.packed_backward.size();
    for (const auto* list : {&copy.norm, &copy.running}) {
      for (const AlignedBuffer<float>& values : *list) total += values.size() * sizeof(float);
    }
  }
  return total;
}

}  // namespace halfstep
