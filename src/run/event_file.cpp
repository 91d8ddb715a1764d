#include "run/event_file.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <filesystem>

#include <fcntl.h>

#include "run/folder.hpp"
#include "run/metrics_lines.hpp"

namespace halfstep::internal {
namespace {

namespace fs = std::filesystem;

constexpr SideFile::Role kEventsRole = {"the events of TensorBoard", "--tensorboard", "records"};

// CRC-32C of Castagnoli, reflected.
constexpr std::array<std::uint32_t, 256> kCastagnoli = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}();

std::uint32_t masked_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = crc >> 8 ^ kCastagnoli[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return std::rotr(~crc, 15) + 0xa282ead8u;
}

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
  return out;
}

// Fields of protocol buffers: a key of number and wire type, and a value.
std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string key(unsigned field, unsigned wire) { return varint(field << 3 | wire); }
std::string text_field(unsigned field, std::string_view text) {
  return key(field, 2) + varint(text.size()) + std::string(text);
}
std::string double_field(unsigned field, double value) {
  return key(field, 1) + little_endian(std::bit_cast<std::uint64_t>(value), 8);
}
std::string float_field(unsigned field, float value) {
  return key(field, 5) + little_endian(std::bit_cast<std::uint32_t>(value), 4);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// What no name of a file has.
std::string plain(std::string text) {
  for (char& c : text) {
    if (c == '/' || static_cast<unsigned char>(c) <= ' ') c = '_';
  }
  return text;
}

SideFile begin_file(const std::string& folder) {
  make_folder(folder, "--tensorboard");
  // A run is a file of its own, whatever else goes on in the folder in the same second.
  const std::string path =
      (fs::path(folder) / ("events.out.tfevents." + std::to_string(static_cast<std::int64_t>(seconds_now())) + "." +
                           plain(host_name()) + "." + std::to_string(::getpid())))
          .string();
  int i = 0;
  while (::access((path + "." + std::to_string(i)).c_str(), F_OK) == 0) ++i;
  return SideFile(kEventsRole, path + "." + std::to_string(i), O_EXCL);
}

}  // namespace

std::string framed_record(std::string_view payload) {
  const std::string length = little_endian(payload.size(), 8);
  return length + little_endian(masked_crc32c(length), 4) + std::string(payload) +
         little_endian(masked_crc32c(payload), 4);
}

std::string version_event(double seconds) { return double_field(1, seconds) + text_field(3, "brain.Event:2"); }

std::string scalars_event(double seconds, std::int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& s : scalars) summary += text_field(1, text_field(1, s.tag) + float_field(2, s.value));
  return double_field(1, seconds) + key(2, 0) + varint(static_cast<std::uint64_t>(step)) + text_field(5, summary);
}

std::vector<Scalar> scalars_of(const EpochReport& report) {
  std::vector<Scalar> out;
  for (const auto& [name, value] : epoch_line(report)) {
    if (name == "epoch" || name == "step" || name == "split") continue;
    const bool held_out = name.starts_with("eval_");
    out.push_back({held_out ? "eval/" + name.substr(5) : "train/" + name, static_cast<float>(value.as_number())});
  }
  return out;
}

EventFile::EventFile(const std::string& folder)
    : wanted_(!folder.empty()), file_(wanted_ ? begin_file(folder) : SideFile(kEventsRole)) {}

void EventFile::write(const EpochReport& report) {
  if (!wanted_) return;
  if (!begun_) file_.write(framed_record(version_event(seconds_now())));
  begun_ = true;
  file_.write(framed_record(scalars_event(seconds_now(), report.steps.attempted, scalars_of(report))));
}

}  // namespace halfstep::internal
