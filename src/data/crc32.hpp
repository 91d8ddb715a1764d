// The check sum of ZIP: CRC-32 of IEEE 802.3. Our own, since a build may have no zlib.
#pragma once
#include <cstdint>
#include <string_view>

namespace halfstep::internal::data {

std::uint32_t crc32(std::string_view bytes);

}  // namespace halfstep::internal::data
