// What readers of outputs get of members and of a temperature, against plain arithmetic.
#include "train/member_mean.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/rng.hpp"
#include "kernels/dispatch.hpp"

namespace halfstep::internal {
namespace {
namespace of_members {

const KernelTable& kernels() { return select_isa("auto", Math::portable); }

OutputMeaning classes(double temperature) {
  OutputMeaning meaning;
  meaning.temperature = temperature;
  return meaning;
}

}  // namespace of_members
}  // namespace

TEST_CASE("member mean: a temperature divides the logits of a single network, and 1 hands them on") {
  AlignedBuffer<float> logits(16);
  for (std::size_t i = 0; i < 3; ++i) logits[i] = static_cast<float>(i) * 1.7f - 2;
  MemberMean as_it_is(of_members::kernels(), of_members::classes(1), 3, 1);
  CHECK(as_it_is.passes_on());
  CHECK(as_it_is.of(logits.data(), 16) == logits.data());
  MemberMean divided(of_members::kernels(), of_members::classes(2.5), 3, 1);
  CHECK_FALSE(divided.passes_on());
  const float* const out = divided.of(logits.data(), 16);
  for (std::size_t i = 0; i < 3; ++i) CHECK(out[i] == static_cast<float>(static_cast<double>(logits[i]) / 2.5));
  for (std::size_t i = 3; i < 16; ++i) CHECK(out[i] == 0);
  OutputMeaning values = of_members::classes(2.5);
  values.classification = false;
  CHECK(MemberMean(of_members::kernels(), values, 3, 1).passes_on());
}

TEST_CASE("member mean: a temperature divides what the members say together") {
  constexpr std::size_t kMembers = 4, kColumns = 3, kLd = 16;
  AlignedBuffer<float> logits(kMembers * kLd);
  const Rng random(1, 2);
  double mean[kColumns] = {};
  for (std::size_t m = 0; m < kMembers; ++m) {
    double p[kColumns], sum = 0;
    for (std::size_t c = 0; c < kColumns; ++c) {
      float& z = logits[m * kLd + m * kColumns + c];
      z = 2 * random.normal(m * kColumns + c);
      sum += p[c] = std::exp(static_cast<double>(z));
    }
    for (std::size_t c = 0; c < kColumns; ++c) mean[c] += p[c] / sum / kMembers;
  }
  for (const double temperature : {0.5, 1.0, 3.0}) {
    MemberMean members(of_members::kernels(), of_members::classes(temperature), kColumns, kMembers);
    const float* const out = members.of(logits.data(), kLd);
    for (std::size_t c = 0; c < kColumns; ++c) {
      CHECK(static_cast<double>(out[c]) == doctest::Approx(std::log(mean[c]) / temperature).epsilon(1e-5));
    }
  }
}

TEST_CASE("member mean: a temperature changes neither which class comes first nor what is finite") {
  constexpr float kMost = std::numeric_limits<float>::max();
  const Rng random(5, 6);
  std::size_t ties = 0;
  for (const double temperature : {0.05, 0.37, 1.37, 3.1, 20.0}) {
    MemberMean divided(of_members::kernels(), of_members::classes(temperature), 2, 1);
    for (std::uint64_t i = 0; i < 2000; ++i) {
      AlignedBuffer<float> logits(16);
      logits[0] = 4 * random.normal(i);
      logits[1] = std::nextafter(logits[0], kMost);
      ties += static_cast<float>(static_cast<double>(logits[0]) / temperature) ==
                      static_cast<float>(static_cast<double>(logits[1]) / temperature)
                  ? 1
                  : 0;
      CHECK(predicted_class(divided.of(logits.data(), 16), 2, false) == 1);
    }
  }
  CHECK(ties > 100);  // there was something to keep apart
  MemberMean enlarged(of_members::kernels(), of_members::classes(0.05), 2, 1);
  AlignedBuffer<float> logits(16);
  logits[0] = kMost / 2;
  logits[1] = -kMost / 2;
  CHECK(is_finite_output(enlarged.of(logits.data(), 16), 2));
  logits[1] = -std::numeric_limits<float>::infinity();
  CHECK_FALSE(is_finite_output(enlarged.of(logits.data(), 16), 2));
}

TEST_CASE("member mean: how far members lie apart") {
  OutputMeaning values;
  values.classification = false;
  AlignedBuffer<float> logits(3 * 16);
  const float said[3][2] = {{1, 5}, {2, 5}, {6, 5}};
  for (std::size_t m = 0; m < 3; ++m) {
    for (std::size_t c = 0; c < 2; ++c) logits[m * 16 + m * 2 + c] = said[m][c];
  }
  const MemberMean members(of_members::kernels(), values, 2, 3);
  double spread[2];
  members.spread(logits.data(), 16, spread);
  CHECK(spread[0] == doctest::Approx(std::sqrt(14.0 / 3)));
  CHECK(spread[1] == 0);
  const MemberMean alone(of_members::kernels(), values, 2, 1);
  alone.spread(logits.data(), 16, spread);
  CHECK(spread[0] == 0);
}

}  // namespace halfstep::internal
