// A fast 64-bit digest that tells whether bytes changed by accident. Not for secrets: it can be forged.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace halfstep::internal {

// Bytes are dealt to eight lanes a word at a time, so that eight multiplications are in flight. For a given
// word each step maps the lane's state one to one, and for a given state it maps the word one to one; so does
// the final combination for each lane. Two inputs of one length that differ in a single word therefore never
// share a digest. Independent of chunking and of endianness.
class Digest {
 public:
  void update(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    const std::size_t held = static_cast<std::size_t>(length_ % kBlock);
    length_ += size;
    if (held != 0) {
      const std::size_t taken = std::min(size, kBlock - held);
      if (taken != 0) std::memcpy(pending_.data() + held, bytes, taken);
      bytes += taken;
      size -= taken;
      if (held + taken < kBlock) return;
      absorb(lanes_, pending_.data());
    }
    std::array<std::uint64_t, kLanes> lanes = lanes_;  // a copy, so that it can stay in registers
    for (; size >= kBlock; bytes += kBlock, size -= kBlock) absorb(lanes, bytes);
    lanes_ = lanes;
    if (size != 0) std::memcpy(pending_.data(), bytes, size);
  }

  std::uint64_t value() const {
    std::array<std::uint64_t, kLanes> lanes = lanes_;
    const std::size_t held = static_cast<std::size_t>(length_ % kBlock);
    if (held != 0) {
      std::array<unsigned char, kBlock> block{};
      std::memcpy(block.data(), pending_.data(), held);
      absorb(lanes, block.data());
    }
    std::uint64_t result = step(kSeed, length_);  // the length tells padding from zero bytes
    for (const std::uint64_t lane : lanes) result = step(result, lane);
    return result;
  }

  // Sixteen lower-case digits.
  std::string hex() const {
    std::string text(16, '0');
    std::uint64_t rest = value();
    for (std::size_t i = 16; i-- > 0; rest >>= 4) text[i] = "0123456789abcdef"[rest & 15];
    return text;
  }

 private:
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kBlock = kLanes * 8;
  static constexpr std::uint64_t kSeed = 0x9E3779B97F4A7C15;    // 2^64 / golden ratio
  static constexpr std::uint64_t kFactor = 0xD6E8FEB86659FD93;  // odd, so multiplication is one to one

  static std::uint64_t step(std::uint64_t state, std::uint64_t word) {
    state = (state ^ word) * kFactor;
    return state ^ (state >> 32);
  }

  static std::uint64_t load(const unsigned char* bytes) {
    std::uint64_t word = 0;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&word, bytes, 8);
    } else {
      for (unsigned i = 0; i < 8; ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
    }
    return word;
  }

  static void absorb(std::array<std::uint64_t, kLanes>& lanes, const unsigned char* block) {
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = step(lanes[i], load(block + 8 * i));
  }

  static constexpr std::array<std::uint64_t, kLanes> first_lanes() {
    std::array<std::uint64_t, kLanes> lanes{};
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = kSeed * (2 * i + 1);
    return lanes;
  }

  std::array<std::uint64_t, kLanes> lanes_ = first_lanes();
  std::array<unsigned char, kBlock> pending_{};
  std::uint64_t length_ = 0;
};

}  // namespace halfstep::internal
