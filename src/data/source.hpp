// A whole input in memory, decompressed.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.hpp"

namespace halfstep::internal::data {

// Most bytes that one input may have, before and after decompression.
constexpr std::uint64_t kMaxInputBytes = std::uint64_t{16} << 30;

using Bytes = RawVector<char>;

struct Source {
  std::string name;  // for messages: the path, or "standard input"
  Bytes bytes;

  std::string_view text() const { return {bytes.data(), bytes.size()}; }
};

// Reads `path`, or standard input for "-". Throws Error(io) when the operating system refuses, Error(format) for a
// folder or damaged gzip data, Error(limit) beyond `max_bytes`, Error(unsupported) for gzip in a build without zlib.
Source read_source(const std::string& path, std::uint64_t max_bytes = kMaxInputBytes);

// Every member of a gzip stream, one after another.
Bytes gunzip(std::string_view packed, const std::string& name, std::uint64_t max_bytes = kMaxInputBytes);

// A deflated stream of `size` bytes without a wrapper, as in ZIP archives. Throws Error(format) where it is damaged or
// of another size, Error(unsupported) in a build without zlib.
Bytes inflate_raw(std::string_view packed, const std::string& name, std::uint64_t size);

// "1.2.13", of the zlib that is loaded; empty in a build without it.
std::string version_of_zlib();

}  // namespace halfstep::internal::data
