#include "base/state_bytes.hpp"

#include <cstring>
#include <string>

#include "base/digest.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

constexpr std::string_view kMagic = "halfstep state 1";  // 16 bytes, the last word is the version

// Layout: magic; entries; an entry each: bytes of its name, name, type, elements, bytes; digest of all before it.
// Every count is 8 bytes, little-endian.
class Writer {
 public:
  void word(std::uint64_t word) {
    for (int i = 0; i < 8; ++i) out_.push_back(static_cast<std::byte>(word >> 8 * i & 0xff));
  }
  void raw(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    out_.insert(out_.end(), first, first + size);
  }
  std::vector<std::byte> finish() {
    Digest digest;
    digest.update(out_.data(), out_.size());
    word(digest.value());
    return std::move(out_);
  }

 private:
  std::vector<std::byte> out_;
};

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Status::format,
              {.what = "these bytes are no saved state", .where = {}, .why = why, .kept = {}, .hint = {}});
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::uint64_t word() {
    const std::span<const std::byte> bytes = raw(8);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
    return word;
  }
  std::span<const std::byte> raw(std::uint64_t size) {
    if (size > rest_.size()) refuse("they end too early");
    const auto taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return taken;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
};

std::uint64_t digest_of(std::span<const std::byte> bytes) {
  Digest digest;
  digest.update(bytes.data(), bytes.size());
  return digest.value();
}

StateEntry read_entry(Reader& reader) {
  StateEntry entry = {};
  const auto name = reader.raw(reader.word());
  entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  const std::uint64_t type = reader.word();
  if (type > static_cast<std::uint64_t>(StateType::bytes)) refuse("an entry has an unknown type");
  entry.type = static_cast<StateType>(type);
  entry.elements = static_cast<std::size_t>(reader.word());
  const auto bytes = reader.raw(reader.word());
  if (bytes.size() / size_of(entry.type) != entry.elements || bytes.size() % size_of(entry.type) != 0) {
    refuse("an entry has another size than it says");
  }
  entry.bytes.assign(bytes.begin(), bytes.end());
  return entry;
}

}  // namespace

std::vector<std::byte> state_bytes(const State& state) {
  Writer writer;
  writer.raw(kMagic.data(), kMagic.size());
  writer.word(state.entries.size());
  for (const StateEntry& entry : state.entries) {
    writer.word(entry.name.size());
    writer.raw(entry.name.data(), entry.name.size());
    writer.word(static_cast<std::uint64_t>(entry.type));
    writer.word(entry.elements);
    writer.word(entry.bytes.size());
    writer.raw(entry.bytes.data(), entry.bytes.size());
  }
  return writer.finish();
}

State state_from_bytes(std::span<const std::byte> bytes) {
  constexpr std::size_t kDigest = 8;
  if (bytes.size() < kMagic.size() + kDigest || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    refuse("they do not begin with '" + std::string(kMagic) + "'");
  }
  const auto content = bytes.first(bytes.size() - kDigest);
  if (Reader(bytes.last(kDigest)).word() != digest_of(content))
    refuse("their digest does not match: they are cut off or altered");
  Reader reader(content.subspan(kMagic.size()));
  State state;
  for (std::uint64_t left = reader.word(); left > 0; --left) state.entries.push_back(read_entry(reader));
  if (!reader.at_end()) refuse("something follows the last entry");
  return state;
}

}  // namespace halfstep::internal
