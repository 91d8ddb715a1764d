#include "optim/optimizers.hpp"

namespace halfstep {

std::size_t Optimizer::memory_bytes() const {
  std::size_t total = 0;
  for (const auto& moment : {&first_, &second_}) {
    for (const AlignedBuffer<float>& tensor : *moment) total += tensor.size() * sizeof(float);
  }
  return total;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const std::vector<std::size_t>& sizes) {
  switch (options.kind) {
    case OptimizerKind::sgd:
      return make_sgd(options, sizes);
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return make_adam(options, sizes);
  }
  return nullptr;
}

}  // namespace halfstep
