#include "nn/weight_copy.hpp"

#include <algorithm>

namespace halfstep::internal {

WeightCopy::WeightCopy(const Network& network) {
  for (const Parameter* p : network.parameters()) {
    Copy copy;
    copy.name = p->name;
    if (p->has_master) {
      copy.master = AlignedBuffer<float>(p->size());
    } else {
      copy.packed_forward = AlignedBuffer<std::byte>(p->packed_forward.size());
      copy.packed_backward = AlignedBuffer<std::byte>(p->packed_backward.size());
    }
    copies_.push_back(std::move(copy));
  }
}

void WeightCopy::keep(const Network& network, std::int64_t applied) {
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    const Parameter& p = *network.parameters()[i];
    if (p.has_master) {
      copy_all(p.master, copies_[i].master);
    } else {
      copy_all(p.packed_forward, copies_[i].packed_forward);
      copy_all(p.packed_backward, copies_[i].packed_backward);
    }
  }
  applied_ = applied;
}

void WeightCopy::restore(Network& network) const {
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    Parameter& p = *network.parameters()[i];
    if (p.has_master) {
      copy_all(copies_[i].master, p.master);
    } else {
      copy_all(copies_[i].packed_forward, p.packed_forward);
      copy_all(copies_[i].packed_backward, p.packed_backward);
    }
  }
  network.discard_statistics();
}

void WeightCopy::visit_state(StateVisitor& visitor) {
  visitor.value("applied", applied_);
  for (Copy& copy : copies_) {
    const StateVisitor::Group group(visitor, copy.name);
    if (copy.master.size() > 0) visitor.array("master", StateType::fp32, copy.master);
    if (copy.packed_forward.size() > 0) visitor.array("packed_forward", StateType::bytes, copy.packed_forward);
    if (copy.packed_backward.size() > 0) visitor.array("packed_backward", StateType::bytes, copy.packed_backward);
  }
}

std::size_t WeightCopy::memory_bytes() const {
  std::size_t total = 0;
  for (const Copy& copy : copies_) {
    total += copy.master.size() * sizeof(float) + copy.packed_forward.size() + copy.packed_backward.size();
  }
  return total;
}

}  // namespace halfstep::internal
