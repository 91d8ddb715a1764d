#include "data/zip.hpp"

#include <algorithm>

#include "data/crc32.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::string_view kMemberMark{"PK\3\4", 4}, kListMark{"PK\1\2", 4}, kEndMark{"PK\5\6", 4};
constexpr std::size_t kMemberHead = 30, kListHead = 46, kEndHead = 22, kMostComment = 0xffff, kMostMembers = 0xfffe;
constexpr std::uint64_t kZip64 = 0xffffffffu;  // stands where a number has more than 32 bits
constexpr std::uint32_t kEncrypted = 1, kStored = 0, kDeflated = 8;

[[noreturn]] void fail_zip(const Source& archive, std::string why) {
  fail(Status::format, "damaged ZIP archive", archive.name, std::move(why), "copy or make the file again");
}

[[noreturn]] void fail_zip64(const Source& archive) {
  fail(Status::unsupported, "ZIP64 is not read", archive.name,
       "the archive is larger than 4 GB, or has more than 65534 members",
       "numpy.save each array to a file of its own: x.npy --labels y.npy");
}

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

// Where the record at the end begins: the last mark whose comment reaches the end of the file.
std::size_t find_end(const Source& archive) {
  const std::string_view text = archive.text();
  if (text.size() < kEndHead) fail_zip(archive, "it is shorter than an empty archive");
  const std::size_t first = text.size() - std::min(text.size(), kEndHead + kMostComment);
  for (std::size_t at = text.size() - kEndHead + 1; at-- > first;) {
    if (text.substr(at, 4) == kEndMark && at + kEndHead + number(text, at + 20, 2) == text.size()) return at;
  }
  fail_zip(archive, "the list of its members is not there: is it cut off?");
}

// The member's bytes behind its own head, whose texts may differ from those in the list.
std::string_view packed_bytes(const Source& archive, const ZipMember& member) {
  const std::string_view text = archive.text();
  if (member.offset > text.size() || text.size() - member.offset < kMemberHead ||
      text.substr(member.offset, 4) != kMemberMark) {
    fail_zip(archive, "the member " + excerpt(member.name) + " is not where the list says");
  }
  const std::size_t begin = static_cast<std::size_t>(member.offset) + kMemberHead +
                            number(text, member.offset + 26, 2) + number(text, member.offset + 28, 2);
  if (begin > text.size() || text.size() - begin < member.packed) {
    fail_zip(archive, "the member " + excerpt(member.name) + " reaches beyond the end");
  }
  return text.substr(begin, static_cast<std::size_t>(member.packed));
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with(kMemberMark) || bytes.starts_with(kEndMark); }

std::vector<ZipMember> zip_members(const Source& archive) {
  const std::string_view text = archive.text();
  const std::size_t end = find_end(archive);
  const std::uint64_t count = number(text, end + 10, 2), size = number(text, end + 12, 4);
  std::uint64_t at = number(text, end + 16, 4);
  if (count > kMostMembers || at == kZip64 || size == kZip64) fail_zip64(archive);
  if (number(text, end + 4, 2) != 0 || number(text, end + 8, 2) != count) {
    fail(Status::unsupported, "an archive in several parts", archive.name,
         "one part of a ZIP archive is not read alone", "put the parts together");
  }
  if (at > end || end - at != size) fail_zip(archive, "the list of its members is not where it should be");
  std::vector<ZipMember> members;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (end - at < kListHead || text.substr(at, 4) != kListMark)
      fail_zip(archive, "the list of its members ends early");
    ZipMember member;
    member.flags = static_cast<std::uint32_t>(number(text, at + 8, 2));
    member.method = static_cast<std::uint32_t>(number(text, at + 10, 2));
    member.crc = static_cast<std::uint32_t>(number(text, at + 16, 4));
    member.packed = number(text, at + 20, 4);
    member.size = number(text, at + 24, 4);
    member.offset = number(text, at + 42, 4);
    const std::uint64_t name = number(text, at + 28, 2);
    const std::uint64_t length = kListHead + name + number(text, at + 30, 2) + number(text, at + 32, 2);
    if (end - at < length) fail_zip(archive, "the list of its members ends early");
    if (member.packed == kZip64 || member.size == kZip64 || member.offset == kZip64) fail_zip64(archive);
    member.name = std::string(text.substr(at + kListHead, name));
    members.push_back(std::move(member));
    at += length;
  }
  if (at != end) fail_zip(archive, "the list of its members is longer than it says");
  return members;
}

Source zip_member(const Source& archive, const ZipMember& member, std::uint64_t max_bytes) {
  const std::string_view packed = packed_bytes(archive, member);
  Source out{archive.name + ": " + member.name, {}};
  if (member.flags & kEncrypted) {
    fail(Status::unsupported, "an encrypted member", out.name, "halfstep knows no password", "write it without one");
  }
  if (member.size > max_bytes) {
    fail(Status::limit, "input is too large", out.name, "more than " + std::to_string(max_bytes) + " bytes");
  }
  if (member.method == kStored) {
    if (member.size != member.packed) fail_zip(archive, excerpt(member.name) + " has two sizes, and is not packed");
    out.bytes.assign(packed.begin(), packed.end());
  } else if (member.method == kDeflated) {
    out.bytes = inflate_raw(packed, out.name, member.size);
  } else {
    fail(Status::unsupported, "a member packed in a way that is not read", out.name,
         "method " + std::to_string(member.method) + "; 0 (stored) and 8 (deflated) are read",
         "numpy.savez or numpy.savez_compressed");
  }
  if (crc32({out.bytes.data(), out.bytes.size()}) != member.crc) {
    fail_zip(archive, "the check sum of " + excerpt(member.name) + " is wrong");
  }
  return out;
}

}  // namespace halfstep::internal::data
