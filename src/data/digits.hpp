// Pictures of handwritten-like digits: strokes, bent, moved, thickened and covered with noise.
#pragma once
#include "base/rng.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

constexpr std::size_t kDigitSide = 16;

// 16x16 bytes a row, labels 0 to 9.
Matrix make_digits(std::size_t rows, const Rng& rng);

}  // namespace halfstep::internal::data
