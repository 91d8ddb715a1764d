#include "nn/weight_average.hpp"

#include <algorithm>

namespace halfstep::internal {

WeightAverage::WeightAverage(const Network& network) {
  for (const Parameter* p : network.parameters()) means_.push_back({p->name, AlignedBuffer<float>(p->size())});
}

void WeightAverage::add(const Network& network, float share) {
  const bool first = count_++ == 0;
  for (std::size_t i = 0; i < means_.size(); ++i) {
    const AlignedBuffer<float>& weights = network.parameters()[i]->master;
    float* const mean = means_[i].values.data();
    if (first) {
      std::copy(weights.begin(), weights.end(), mean);
      continue;
    }
    const float* const from = weights.data();
    for (std::size_t k = 0; k < weights.size(); ++k) mean[k] += share * (from[k] - mean[k]);
  }
}

void WeightAverage::exchange(Network& network) {
  for (std::size_t i = 0; i < means_.size(); ++i) {
    AlignedBuffer<float>& weights = network.parameters()[i]->master;
    std::swap_ranges(weights.begin(), weights.end(), means_[i].values.begin());
  }
}

std::size_t WeightAverage::memory_bytes() const {
  std::size_t total = 0;
  for (const Mean& mean : means_) total += mean.values.size() * sizeof(float);
  return total;
}

void WeightAverage::visit_state(StateVisitor& visitor) {
  visitor.value("count", count_);
  for (Mean& mean : means_) {
    const StateVisitor::Group group(visitor, mean.name);
    visitor.array("values", StateType::fp32, mean.values);
  }
}

}  // namespace halfstep::internal
