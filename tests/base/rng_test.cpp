#include "base/rng.hpp"

#include <doctest/doctest.h>

#include "support/mismatches.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

struct Known {
  std::uint64_t seed, stream, block;
  std::uint32_t words[4];
};

// Philox4x32-10 of Random123's kat_vectors; its counter is (block, stream), its key the seed. Rng can only reach
// blocks below 2^62, so the vector with a counter of all ones is out of reach and checked by recomputation below.
TEST_CASE("rng: the known answers of Philox4x32-10") {
  constexpr Known known[] = {
      {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
  };
  for (const Known& k : known) {
    for (std::uint64_t i = 0; i < 4; ++i) CHECK(Rng(k.seed, k.stream).u32(4 * k.block + i) == k.words[i]);
  }
}

// The same cipher once more, straight from the paper with a full 128-bit counter, so that the second vector counts.
struct Philox {
  std::uint32_t c[4];
  std::uint32_t k[2];
  void run() {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
      const std::uint32_t next[4] = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
                                     static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
      for (int i = 0; i < 4; ++i) c[i] = next[i];
      k[0] += 0x9E3779B9;
      k[1] += 0xBB67AE85;
    }
  }
};

TEST_CASE("rng: every counter and key word reaches the cipher") {
  Philox ones{{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}};
  ones.run();
  CHECK(ones.c[0] == 0x408f276d);
  CHECK(ones.c[1] == 0x41c83b0e);
  CHECK(ones.c[2] == 0xa20bc7c6);
  CHECK(ones.c[3] == 0x6d5451fd);

  test::Mismatches wrong;
  const std::uint64_t words[] = {0, 1, 0xffffffff, 0x100000000, 0x123456789abcdef0, ~std::uint64_t{0}};
  for (std::uint64_t seed : words) {
    for (std::uint64_t stream : words) {
      for (std::uint64_t word : words) {
        const std::uint64_t block = word >> 2;
        Philox p{{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                  static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
                 {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
        p.run();
        for (std::uint64_t i = 0; i < 4; ++i) {
          const std::uint32_t got = Rng(seed, stream).u32(4 * block + i);
          if (got != p.c[i]) wrong.add("seed ", seed, " stream ", stream, " block ", block, ": ", got, " not ", p.c[i]);
        }
      }
    }
  }
  CHECK_MESSAGE(wrong.none(), wrong.text());
}

TEST_CASE("rng: uniform stays in [0, 1), below in [0, bound), and both fill their range") {
  const Rng rng(7, 3);
  constexpr std::uint64_t n = 100000;
  double sum = 0, squares = 0;
  float least = 1, largest = 0;
  std::size_t seen[10] = {};
  bool inside = true;
  for (std::uint64_t i = 0; i < n; ++i) {
    const float u = rng.uniform(i);
    inside = inside && u >= 0.0f && u < 1.0f && rng.below(i, 10) < 10 && rng.below(i, 1) == 0;
    least = u < least ? u : least;
    largest = u > largest ? u : largest;
    ++seen[rng.below(i, 10) % 10];
    const double z = rng.normal(i);
    sum += u;
    squares += z * z;
  }
  CHECK(inside);
  CHECK(least < 1e-3f);
  CHECK(largest > 0.999f);
  CHECK(sum / n == doctest::Approx(0.5).epsilon(0.01));
  CHECK(squares / n == doctest::Approx(1.0).epsilon(0.02));
  for (std::size_t count : seen) CHECK(count == doctest::Approx(n / 10.0).epsilon(0.05));
}

}  // namespace
