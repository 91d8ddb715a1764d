#include "nn/periodic.hpp"

#include <cmath>

namespace halfstep::internal {
namespace {

constexpr float kTurn = 6.283185307f;
constexpr float kFrequencies = 0.3f;  // standard deviation of the first ones, in turns a unit of x
constexpr float kWholes = 12582912;   // 1.5 * 2^23: a number and this has no fraction

// Of x turns. sin(pi r) and cos(pi r) for r from -1/2 to 1/2 are polynomials, by least squares in the points of
// Chebyshev; the errors of the results are below 1e-6. Only additions and multiplications: the same bits everywhere.
struct Turned {
  float cosine, sine;
};
Turned turned(float x) {
  const float r = x - ((x + kWholes) - kWholes), u = r * r;
  const float s = r * (3.14159264f + u * (-5.16771008f + u * (2.55007752f + u * (-0.598291286f + u * 0.0776576603f))));
  const float c =
      1.0f + u * (-4.93480214f + u * (4.05870916f + u * (-1.335212f + u * (0.234937314f + u * -0.0243963243f))));
  return {1.0f - 2.0f * (s * s), 2.0f * (s * c)};
}

// Of every frequency at x.
struct AllTurned {
  AllTurned(const PeriodicShape& shape, const float* parameters, float x) {
    const float* const frequencies = parameters + shape.count * shape.width;
    const float* const phases = frequencies + shape.count;
    for (std::size_t f = 0; f < shape.count; ++f) {
      const Turned t = turned(frequencies[f] * x + phases[f]);
      cosines[f] = t.cosine;
      sines[f] = t.sine;
    }
  }
  float cosines[kMostPeriodic], sines[kMostPeriodic];
};

}  // namespace

void initialise_periodic(const PeriodicShape& shape, const Rng& random, std::uint64_t first, float* parameters) {
  const std::size_t vectors = shape.count * shape.width;
  const float bound = 1.0f / std::sqrt(static_cast<float>(shape.count));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const float even = random.uniform(first + i) - 0.5f;
    parameters[i] = i < vectors                 ? 2.0f * even * bound
                    : i < vectors + shape.count ? kFrequencies * random.normal(first + i)
                                                : even;
  }
}

void add_periodic(const PeriodicShape& shape, const float* parameters, float x, float* e) {
  const AllTurned at(shape, parameters, x);
  for (std::size_t f = 0; f < shape.count; ++f) {
    const float* const v = parameters + f * shape.width;
    for (std::size_t i = 0; i < shape.width; ++i) e[i] += at.cosines[f] * v[i];
  }
}

void add_periodic_gradient(const PeriodicShape& shape, const float* parameters, float x, const float* g,
                           float* gradient) {
  const AllTurned at(shape, parameters, x);
  float* const by_frequency = gradient + shape.count * shape.width;
  float* const by_phase = by_frequency + shape.count;
  for (std::size_t f = 0; f < shape.count; ++f) {
    const float* const v = parameters + f * shape.width;
    float* const by_v = gradient + f * shape.width;
    float along = 0;
    for (std::size_t i = 0; i < shape.width; ++i) {
      by_v[i] += at.cosines[f] * g[i];
      along += g[i] * v[i];
    }
    const float by_turns = -kTurn * at.sines[f] * along;
    by_frequency[f] += by_turns * x;
    by_phase[f] += by_turns;
  }
}

}  // namespace halfstep::internal
