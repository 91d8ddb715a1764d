#include "nn/initial_weights.hpp"

#include <cmath>

namespace halfstep::internal {
void initialise_weight(Parameter& matrix, Activation activation, const Rng& rng) {
  const WeightLayout& layout = matrix.strips;
  const bool rectifier = facts_of(activation).halves_variance;
  const double fan = rectifier ? static_cast<double>(layout.in) : 0.5 * static_cast<double>(layout.in + layout.out);
  const auto bound = static_cast<float>(std::sqrt((rectifier ? 6.0 : 3.0) / fan));
  if (matrix.master.size() == 0) matrix.master = AlignedBuffer<float>(matrix.size());
  for (std::size_t o = 0; o < layout.out; ++o) {
    for (std::size_t i = 0; i < layout.in; ++i) {
      matrix.master[layout.offset(o, i)] = (2.0f * rng.uniform(o * layout.in + i) - 1.0f) * bound;
    }
  }
}

}  // namespace halfstep::internal
