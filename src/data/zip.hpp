// ZIP archives: a list of members at the end, each stored or deflated (PKWARE's APPNOTE.TXT). Without encryption and
// parts on other disks.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/source.hpp"

namespace halfstep::internal::data {

struct ZipMember {
  std::string name;
  std::uint32_t method = 0, flags = 0, crc = 0;
  std::uint64_t packed = 0, size = 0, offset = 0;
};

bool is_zip(std::string_view bytes);

// What is in the archive. Throws Error(format) where its lists are damaged, Error(unsupported) for
// one of several parts.
std::vector<ZipMember> zip_members(const Source& archive);

// The bytes of a member, unpacked and checked, as a source "archive: member". Throws Error(format) where they are not
// what the list says, Error(limit) beyond `max_bytes`, Error(unsupported) for other ways to pack them.
Source zip_member(const Source& archive, const ZipMember& member, std::uint64_t max_bytes = kMaxInputBytes);

}  // namespace halfstep::internal::data
