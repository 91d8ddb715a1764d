#include "bench/bandwidth.hpp"

#include <algorithm>
#include <cstdint>

#include "bench/parallel_rate.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 14;  // words between two looks at the clock: 128 KiB

using Words = std::span<std::uint64_t>;

volatile std::uint64_t g_zero = 0;  // the compiler does not know
volatile std::uint64_t g_sink;

// One stream suits some memory systems, several suit others; asking for lines ahead suits most.
constexpr std::size_t kAhead = 64;  // words

template <std::size_t Streams>
double read_words(Words words) {
  const std::size_t share = words.size() / (Streams * 8) * 8;
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i < share; i += 8) {
    for (std::size_t s = 0; s < Streams; ++s) {
      __builtin_prefetch(words.data() + s * share + i + kAhead);
      for (std::size_t j = 0; j < 8; ++j) sums[j] += words[s * share + i + j];
    }
  }
  for (const std::uint64_t sum : sums) g_sink = sum;
  return static_cast<double>(Streams * share * sizeof(std::uint64_t));
}

template <std::size_t Streams>
double update_words(Words words) {
  const std::size_t share = words.size() / (Streams * 8) * 8;
  const std::uint64_t zero = g_zero;
  for (std::size_t i = 0; i < share; i += 8) {
    for (std::size_t s = 0; s < Streams; ++s) {
      __builtin_prefetch(words.data() + s * share + i + kAhead);
      for (std::size_t j = 0; j < 8; ++j) words[s * share + i + j] ^= zero;
    }
  }
  return 2 * static_cast<double>(Streams * share * sizeof(std::uint64_t));
}

double rate(Words words, int threads, double seconds, double (*work)(Words)) {
  const std::size_t share = words.size() / static_cast<std::size_t>(threads);
  return parallel_rate(threads, seconds, [&](std::size_t thread, std::size_t turn) {
    const Words mine = words.subspan(thread * share, share);
    const std::size_t pieces = std::max<std::size_t>(1, mine.size() / kPiece);
    const std::size_t first = turn % pieces * kPiece;
    return work(mine.subspan(first, std::min(kPiece, mine.size() - first)));
  });
}

}  // namespace

Bandwidth measure_bandwidth(std::span<std::byte> memory, int threads, double seconds) {
  const Words words(reinterpret_cast<std::uint64_t*>(memory.data()), memory.size() / sizeof(std::uint64_t));
  auto best = [&](double (*one)(Words), double (*four)(Words)) {
    return std::max(rate(words, threads, seconds / 2, one), rate(words, threads, seconds / 2, four));
  };
  return {best(read_words<1>, read_words<4>), best(update_words<1>, update_words<4>)};
}

void copy_streams(std::span<const std::byte> from, std::byte* to) {
  constexpr std::size_t kStreams = 4;
  const auto* source = reinterpret_cast<const std::uint64_t*>(from.data());
  auto* target = reinterpret_cast<std::uint64_t*>(to);
  const std::size_t share = from.size() / sizeof(std::uint64_t) / (kStreams * 8) * 8;
  for (std::size_t i = 0; i < share; i += 8) {
    for (std::size_t s = 0; s < kStreams; ++s) {
      const std::size_t at = s * share + i;
      __builtin_prefetch(source + at + kAhead);
      __builtin_prefetch(target + at + kAhead, 1);
      for (std::size_t j = 0; j < 8; ++j) target[at + j] = source[at + j];
    }
  }
}

}  // namespace halfstep::internal
