#include "bench/bandwidth.hpp"

#include <algorithm>
#include <cstdint>

#include "bench/parallel_rate.hpp"

namespace halfstep {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 14;  // words between two looks at the clock: 128 KiB

using Words = std::span<std::uint64_t>;

volatile std::uint64_t g_zero = 0;  // the compiler does not know
volatile std::uint64_t g_sink;

double read_words(Words words) {
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i + 8 <= words.size(); i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
  }
  for (const std::uint64_t sum : sums) g_sink = sum;
  return static_cast<double>(words.size_bytes());
}

double update_words(Words words) {
  const std::uint64_t zero = g_zero;
  for (std::uint64_t& word : words) word ^= zero;
  return 2 * static_cast<double>(words.size_bytes());
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
  return {rate(words, threads, seconds, read_words), rate(words, threads, seconds, update_words)};
}

}  // namespace halfstep
