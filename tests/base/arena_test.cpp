#include "base/arena.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

bool aligned(const void* address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

TEST_CASE("arena: memory is aligned and zero") {
  for (const std::size_t size : {1u, 15u, 16u, 1000u, 500000u, 2000000u}) {
    const AlignedBuffer<float> buffer(size);
    CHECK(buffer.size() == size);
    CHECK(aligned(buffer.data(), size == 2000000u ? kHugePage : kCacheLine));
    CHECK(std::all_of(buffer.begin(), buffer.end(), [](float value) { return value == 0.0f; }));
  }
}

// Small ones share pages, large ones do not; some come and go while others stay.
TEST_CASE("arena: buffers of all sizes keep what they hold while others come and go, on several threads") {
  auto work = [](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<AlignedBuffer<std::uint32_t>> held(40);
    std::vector<std::uint32_t> marks(held.size());
    bool right = true;
    for (std::uint32_t turn = 1; turn < 400; ++turn) {
      const std::size_t i = random() % held.size();
      for (const std::uint32_t word : held[i]) right = right && word == marks[i];
      held[i] = AlignedBuffer<std::uint32_t>(std::size_t{1} << random() % 21);
      marks[i] = seed << 16 | turn;
      for (const std::uint32_t word : held[i]) right = right && word == 0;
      std::fill(held[i].begin(), held[i].end(), marks[i]);
    }
    return right;
  };
  bool right[2] = {};
  std::thread other([&] { right[0] = work(1); });
  right[1] = work(2);
  other.join();
  CHECK(right[0]);
  CHECK(right[1]);
}

TEST_CASE("arena: what huge pages hold beside the buffers is known, and goes with them") {
  const std::size_t before = detail::rest_of_huge_pages();
  {
    const AlignedBuffer<std::byte> large(5 * kHugePage + 1000), whole(3 * kHugePage), small(10000);
    CHECK(detail::rest_of_huge_pages() >= before - 10000 + kHugePage - 1000);
    CHECK(detail::rest_of_huge_pages() <= before + kHugePage - 1000 + 2 * kHugePage);
  }
  CHECK(detail::rest_of_huge_pages() <= before + kHugePage);  // the small one's place stays behind while others live
}

TEST_CASE("arena: an empty buffer has no memory") {
  CHECK(AlignedBuffer<float>().data() == nullptr);
  CHECK(AlignedBuffer<float>(0).data() == nullptr);
}

TEST_CASE("arena: moving hands the memory over") {
  AlignedBuffer<float> first(8);
  first[3] = 2.0f;
  const float* memory = first.data();
  AlignedBuffer<float> second(std::move(first));
  CHECK(second.data() == memory);
  AlignedBuffer<float> third;
  third = std::move(second);
  CHECK(third.data() == memory);
  CHECK(third.size() == 8);
  CHECK(third[3] == 2.0f);
}

TEST_CASE("arena: sizes that no machine has are refused by name") {
  const auto status_of = [](std::size_t size) {
    try {
      const AlignedBuffer<float> buffer(size);
    } catch (const Error& error) {
      return error.status();
    }
    return Status::ok;
  };
  constexpr std::size_t kMost = static_cast<std::size_t>(-1);
  CHECK(status_of(kMost) == Status::out_of_memory);
  CHECK(status_of(kMost / sizeof(float)) == Status::out_of_memory);
}

TEST_CASE("arena: a large vector begins with a huge page, whose rest is known; a small one is like any other") {
  const std::size_t before = detail::rest_of_huge_pages();
  LargeVector<float> large((std::size_t{5} << 20) / sizeof(float) + 1, 1.5f), small = {1, 2, 3};
  CHECK(reinterpret_cast<std::uintptr_t>(large.data()) % kHugePage == 0);
  CHECK(detail::rest_of_huge_pages() == before + (std::size_t{6} << 20) - large.size() * sizeof(float));
  CHECK(large.back() == 1.5f);
  std::swap(large, small);
  CHECK(large == LargeVector<float>{1, 2, 3});
  small = {};
  small.shrink_to_fit();
  CHECK(detail::rest_of_huge_pages() == before);
}

}  // namespace
