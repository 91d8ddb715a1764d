#include "train/last_good.hpp"

#include <algorithm>

namespace halfstep {

LastGood::LastGood(Mlp& model) {
  if (!model.shape().master) return;
  for (const Dense& l : model.layers()) {
    layers_.push_back({AlignedBuffer<float>(l.weight.size()), AlignedBuffer<float>(l.bias.size())});
  }
}

bool LastGood::due(double loss) {
  if (layers_.empty()) return false;
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
    std::copy(l.weight.begin(), l.weight.end(), layers_[i].weight.begin());
    std::copy(l.bias.begin(), l.bias.end(), layers_[i].bias.begin());
  }
  applied_ = applied;
}

void LastGood::restore(Mlp& model) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Dense& l = model.layers()[i];
    std::copy(layers_[i].weight.begin(), layers_[i].weight.end(), l.weight.begin());
    std::copy(layers_[i].bias.begin(), layers_[i].bias.end(), l.bias.begin());
  }
}

std::size_t LastGood::memory_bytes() const {
  std::size_t total = 0;
  for (const Copy& copy : layers_) total += (copy.weight.size() + copy.bias.size()) * sizeof(float);
  return total;
}

}  // namespace halfstep
