#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <set>
#include <vector>

using halfstep::internal::Digest;

namespace {

std::uint64_t digest_of(const std::vector<unsigned char>& bytes) {
  Digest digest;
  digest.update(bytes.data(), bytes.size());
  return digest.value();
}

std::vector<unsigned char> counting(std::size_t size) {
  std::vector<unsigned char> bytes(size);
  std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(1));
  return bytes;
}

}  // namespace

TEST_CASE("digest: known values, so that files stay readable") {
  Digest digest;
  CHECK(digest.hex() == "f23774309043effb");
  digest.update("halfstep", 8);
  CHECK(digest.hex() == "cbf278d517e8b652");
  const auto bytes = counting(1000);
  Digest longer;
  longer.update(bytes.data(), bytes.size());
  CHECK(longer.hex() == "b671b074261527c9");
}

TEST_CASE("digest: chunking does not matter") {
  const auto bytes = counting(333);
  for (std::size_t chunk = 1; chunk <= 200; ++chunk) {
    Digest digest;
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      digest.update(bytes.data() + at, std::min(chunk, bytes.size() - at));
    }
    CHECK(digest.value() == digest_of(bytes));
  }
}

TEST_CASE("digest: every single flipped bit and every length of zeros is told apart") {
  auto bytes = counting(200);
  std::set<std::uint64_t> seen = {digest_of(bytes)};
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<unsigned char>(1u << bit % 8);
    CHECK(seen.insert(digest_of(bytes)).second);
    bytes[bit / 8] ^= static_cast<unsigned char>(1u << bit % 8);
  }
  for (std::size_t size = 0; size < 200; ++size) {
    CHECK(seen.insert(digest_of(std::vector<unsigned char>(size))).second);
  }
}
