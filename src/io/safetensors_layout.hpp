// What reader and writer of safetensors files agree on.
#pragma once
#include <cstddef>
#include <string_view>

namespace halfstep::internal::io {

constexpr std::size_t kPrefix = 8;  // bytes of the header length
constexpr std::size_t kMaxHeader = std::size_t{16} << 20;
constexpr std::size_t kMaxTensors = 65536;
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kDigestDigits = 16;
constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::string_view kDigestKey = "halfstep.digest";
// Written just so, which is how the digits are found in the raw header. It cannot occur inside a JSON string,
// where quotes are escaped.
constexpr std::string_view kDigestField = "\"halfstep.digest\":\"";

}  // namespace halfstep::internal::io
