// One file per loss; this is the list that make_loss chooses from.
#pragma once
#include "loss/loss.hpp"

namespace halfstep::internal {

std::unique_ptr<Loss> make_cross_entropy(const CrossEntropyOptions& options);
std::unique_ptr<Loss> make_binary_cross_entropy();
std::unique_ptr<Loss> make_mse();
std::unique_ptr<Loss> make_huber(double delta);

// Zeroes d beyond the valid columns up to the padded width.
inline void clear_padding(float* d, std::size_t columns) {
  for (std::size_t i = columns; i % kLanes != 0; ++i) d[i] = 0.0f;
}

}  // namespace halfstep::internal
