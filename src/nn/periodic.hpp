// Periodic functions of a number that are learned, as embeddings of numbers have them: for each of `count` frequencies
// f, phases p and vectors v
//   e += cos(2 pi (f x + p)) v
// (Gorishniy et al., 2022, "On embeddings for numerical features in tabular deep learning";
// phases as in RealMLP, Holzmueller et al., 2024, "Better by default").
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/rng.hpp"

namespace halfstep::internal {

// The parameters of a number stand behind each other: vectors [count][width], frequencies [count], phases [count].
struct PeriodicShape {
  std::size_t count = 0, width = 0;

  std::size_t size() const { return count * (width + 2); }
};

inline constexpr std::size_t kMostPeriodic = 64;

// Parameter i is made from number `first` + i of `random`.
void initialise_periodic(const PeriodicShape& shape, const Rng& random, std::uint64_t first, float* parameters);

void add_periodic(const PeriodicShape& shape, const float* parameters, float x, float* e);

// Adds to `gradient`, which has the order of the parameters, what follows from that by e, `g`, for one x.
void add_periodic_gradient(const PeriodicShape& shape, const float* parameters, float x, const float* g,
                           float* gradient);

}  // namespace halfstep::internal
