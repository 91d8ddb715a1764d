#include "data/zip.hpp"

#include <algorithm>

#include "data/crc32.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::string_view kMemberMark{"PK\3\4", 4}, kListMark{"PK\1\2", 4}, kEndMark{"PK\5\6", 4},
    kEnd64Mark{"PK\6\6", 4}, kLocatorMark{"PK\6\7", 4};
constexpr std::size_t kMemberHead = 30, kListHead = 46, kEndHead = 22, kMostComment = 0xffff;
constexpr std::size_t kEnd64Head = 56, kLocator = 20;
// ZIP64: these stand where a number has more than 32 bits, or 16; the number itself is elsewhere.
constexpr std::uint64_t kWide = 0xffffffffu, kWideCount = 0xffff;
constexpr std::uint64_t kWideField = 1;  // of a member's extra fields: the wide ones
constexpr std::uint32_t kEncrypted = 1, kStored = 0, kDeflated = 8;

[[noreturn]] void fail_zip(const Source& archive, std::string why) {
  fail(Status::format, "damaged ZIP archive", archive.name, std::move(why), "copy or make the file again");
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

// The list of members, as the records at the end of the file have it.
struct MemberList {
  std::uint64_t count = 0, size = 0, begin = 0, end = 0;
  bool in_parts = false;
};

MemberList find_list(const Source& archive) {
  const std::string_view text = archive.text();
  const std::size_t end = find_end(archive);
  MemberList list = {number(text, end + 10, 2), number(text, end + 12, 4), number(text, end + 16, 4), end, false};
  list.in_parts = number(text, end + 4, 2) != 0 || number(text, end + 8, 2) != list.count;
  if (list.count != kWideCount && list.size != kWide && list.begin != kWide) return list;
  // A small record right before the last one says where the wide one is.
  if (end < kLocator || text.substr(end - kLocator, 4) != kLocatorMark) return list;
  const std::uint64_t wide = number(text, end - kLocator + 8, 8);
  if (wide > end - kLocator || end - kLocator - wide < kEnd64Head || text.substr(wide, 4) != kEnd64Mark) {
    fail_zip(archive, "the wide record of its list is not where it should be");
  }
  const auto at = static_cast<std::size_t>(wide);
  list = {number(text, at + 32, 8), number(text, at + 40, 8), number(text, at + 48, 8), wide, false};
  list.in_parts = number(text, at + 16, 4) != 0 || number(text, at + 24, 8) != list.count;
  return list;
}

// Numbers of a member that did not fit 32 bits, from its extra fields, in this order.
void take_wide(const Source& archive, std::string_view extra, ZipMember& member) {
  std::uint64_t* const wide[] = {&member.size, &member.packed, &member.offset};
  std::size_t missing = 0;
  for (const std::uint64_t* field : wide) missing += *field == kWide ? 1 : 0;
  while (missing > 0) {
    const std::size_t length = extra.size() < 4 ? 0 : static_cast<std::size_t>(number(extra, 2, 2));
    if (extra.size() < 4 || extra.size() - 4 < length) {
      fail_zip(archive, "the wide numbers of " + excerpt(member.name) + " are missing");
    }
    const std::uint64_t kind = number(extra, 0, 2);
    const std::string_view field = extra.substr(4, length);
    extra.remove_prefix(4 + length);
    if (kind != kWideField) continue;
    if (length < 8 * missing) fail_zip(archive, "the wide numbers of " + excerpt(member.name) + " are cut off");
    std::size_t at = 0;
    for (std::uint64_t* value : wide) {
      if (*value != kWide) continue;
      *value = number(field, at, 8);
      at += 8;
    }
    return;
  }
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with(kMemberMark) || bytes.starts_with(kEndMark); }

std::vector<ZipMember> zip_members(const Source& archive) {
  const std::string_view text = archive.text();
  const auto [count, size, begin, end, in_parts] = find_list(archive);
  std::uint64_t at = begin;
  if (in_parts) {
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
    const std::uint64_t extra = number(text, at + 30, 2);
    const std::uint64_t length = kListHead + name + extra + number(text, at + 32, 2);
    if (end - at < length) fail_zip(archive, "the list of its members ends early");
    member.name = std::string(text.substr(at + kListHead, name));
    take_wide(archive, text.substr(at + kListHead + name, extra), member);
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
