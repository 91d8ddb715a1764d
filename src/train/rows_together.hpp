// How many rows of a step pass through a network together.
#pragma once
#include <cstddef>

#include "nn/network_shape.hpp"

namespace halfstep::internal {

// Parts of a step that begin at multiples of so many rows give the bits of the whole: sums over rows are taken in
// chunks of kSumRows, and products over rows in turns of at most 32. Of an ensemble these are rows of its layers, and
// chunks are of its examples too.
constexpr std::size_t kRowsGrain = 96;

// Of a step of `rows`: all of them where BatchNorm wants them between its layers, or where they are few; else shares of
// like size, of which each thread has as many as its caches hold from one layer to the next.
std::size_t rows_together(const NetworkShape& shape, std::size_t rows, int threads);

}  // namespace halfstep::internal
